// A comment on a span of the text: a line of the rationale's comment that names the step and quotes it, so
// that it is read wherever comments are; here the quoted words are marked and the line stands at its step.

import { make } from "../page.js";
import { decisionOf, isOpen, isOwn, table, whenBegun } from "../table.js";
import { textOf } from "./text.js";

const LINE = /^Step (\d{1,6})(?:, “(.+?)”)?: (.*)$/;
const LONGEST = 120; // characters of a quote
const marks = typeof Highlight === "function" && CSS.highlights ? new Highlight() : null;
if (marks) CSS.highlights.set("noted", marks);
whenBegun(() => marks?.clear());

export const notesIn = (comment) => comment.split("\n").map((line) => LINE.exec(line)).filter(Boolean)
  .map(([, number, quote = "", words]) => ({ number: Number(number), quote, words }));

// How the comment goes on for what is selected in this rationale, else for the step under the cursor.
export function beginning(comment) {
  const selection = document.getSelection();
  const node = selection?.anchorNode?.parentElement?.closest?.("[data-step]");
  let [number, quote] = [table.step, ""];
  if (node && table.current.contains(node) && !selection.isCollapsed) {
    number = Number(node.dataset.step);
    quote = selection.toString().replace(/\s+/g, " ").trim().slice(0, LONGEST);
  }
  if (!number) return null;
  return `${comment.trimEnd()}${comment.trim() ? "\n" : ""}Step ${number}${quote ? `, “${quote}”` : ""}: `;
}

// Puts the notes of a rationale, or of a part of it that was drawn just now, to their steps.
export function paintNotes(rationale, part = rationale) {
  if (!isOpen(rationale) || isOwn(rationale)) return;
  for (const old of part.querySelectorAll(".note")) old.remove();
  if (marks) for (const range of [...marks]) if (!range.startContainer.isConnected || part.contains(range.startContainer)) marks.delete(range);
  const { comment } = decisionOf(rationale);
  if (!comment.includes("Step ")) return;
  for (const { number, quote, words } of notesIn(comment)) {
    const row = textOf(rationale).row(number);
    if (!row || !part.contains(row)) continue;
    row.querySelector(".says").append(make("div", { className: "note", textContent: words || "noted" }));
    const range = quote && marks && rangeOf(row.querySelector(".text"), quote);
    if (range) marks.add(range);
  }
}

// Where the quote stands, also across formulas; its white space counts as one.
function rangeOf(text, quote) {
  const nodes = [];
  let all = "";
  const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    nodes.push([all.length, node]);
    all += node.data;
  }
  const pattern = quote.split(" ").map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("\\s*");
  const found = new RegExp(pattern).exec(all);
  if (!found) return null;
  const range = new Range();
  const place = (at) => nodes.findLast(([begin]) => begin <= at) ?? nodes[0];
  const [from, to] = [place(found.index), place(found.index + found[0].length - 1)];
  range.setStart(from[1], found.index - from[0]);
  range.setEnd(to[1], Math.min(to[1].length, found.index + found[0].length - to[0]));
  return range;
}
