// How the server stores a text (curation/text/clean.py): to say at once what it would say.

import { UNSEEN } from "./invisible.js";

const UNSEEN_ALL = new RegExp(UNSEEN.source, "gu");

export const isEmpty = (text) => !text.replace(UNSEEN_ALL, "").trim();

export function clean(text) {
  if (isEmpty(text)) return "";
  const made = text.normalize("NFC").replace(/\r\n?/g, "\n").replace(/[^\S\n]+(?=\n|$)/g, "").replace(/^\n+|\n+$/g, "");
  return /^(?: {4}|\t)[^\n]*\n/.test(made) ? made : made.trimStart();
}
