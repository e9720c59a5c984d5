// Words that came too late: on each rationale that somebody else decided in the meantime stands who, what
// and why, and what differs between the text as it stands now and this person's.

import { idOf, table } from "./table.js";

const TAGS = { same: "span", out: "del", in: "ins" };

function made(tag, text, name = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  if (name) element.className = name;
  return element;
}

export function showMeanwhile(told = []) {
  for (const one of told) {
    const rationale = table.rationales.find((each) => idOf(each) === String(one.rationale));
    if (!rationale) continue;
    rationale.querySelector(".meanwhile")?.remove();
    const box = made("section", "", "meanwhile");
    const at = new Date(one.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    box.append(made("p", `${one.who} ${one.what} this at ${at}${one.why ? `: ${one.why}` : ""}`));
    if (one.pieces.length) {
      const text = made("p", "", "pieces");
      for (const [kind, words] of one.pieces) text.append(made(TAGS[kind] ?? "span", words));
      box.append(made("p", "From the text as it stands to yours:", "label"), text);
    }
    rationale.querySelector(".verdict").before(box);
  }
}
