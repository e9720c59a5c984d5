// Texts as words that can be compared and put back on the page with what differs marked.

import { diffWords, pairSteps } from "./diff.js";
import { make } from "./page.js";

export const keysOf = (words) => words.map((word) => word.key);

const WORD = /[\p{L}\p{N}]+(?:[.,'’][\p{L}\p{N}]+)*|[^\s]/gu;

// Adds the words of a node to `words`: {key, node, space, spaceAfter}.
export function wordsOf(node, words) {
  if (node.nodeType === Node.TEXT_NODE) {
    let end = 0;
    for (const found of node.data.matchAll(WORD)) {
      const space = found.index > end || (end === 0 && found.index > 0);
      words.push({ key: found[0].toLowerCase(), node: document.createTextNode(found[0]), space });
      end = found.index + found[0].length;
    }
    if (words.length && end < node.data.length) words.at(-1).spaceAfter = true;
  } else if (node.nodeName === "math" || node.matches?.(".unseen, pre, table")) {
    // A formula, code and a table are the same or not, as a whole.
    words.push({ key: node.textContent, node, space: false });
  } else if (node.matches?.(".rtl, .prose, .scroll, strong, code")) {
    for (const inner of node.childNodes) wordsOf(inner, words);
  } else if (node.nodeName === "BR" && words.length) {
    words.at(-1).spaceAfter = true;
  }
}

// What diffWords found, as nodes. Runs of the same kind stand in one element, with the spaces that were between their words.
export function pieces(changes, left, right) {
  const runs = [];
  for (const [kind, i, j] of changes) {
    const word = j === null ? left[i] : right[j];
    if (runs.at(-1)?.kind !== kind) runs.push({ kind, words: [] });
    runs.at(-1).words.push(word);
  }
  return runs.flatMap(({ kind, words }, place) => {
    const before = runs[place - 1];
    const gap = before && (words[0].space || before.words.at(-1).spaceAfter || (before.kind === "gone" && kind === "new"));
    return [gap ? " " : "", mark({ same: "span", gone: "del", new: "ins" }[kind], words)];
  });
}

export function mark(name, words) {
  const element = make(name);
  let open = true; // no space before the first word
  for (const word of words) {
    if (!open && word.space) element.append(" ");
    element.append(word.node.cloneNode(true));
    if (word.calc) element.append(make("span", { className: "calc", textContent: word.calc }));
    if (word.spaceAfter) element.append(" ");
    open = word.spaceAfter === true;
  }
  element.normalize(); // so that words from right to left are one run, in their order
  return element;
}

const CALC = /(<<[^<>\n]{0,200}>>)/;

// Calculator marks are shown and folded as everywhere, and make no difference.
function wordsOfLine(line) {
  const words = [];
  for (const part of line.split(CALC)) {
    if (!CALC.test(part)) wordsOf(document.createTextNode(part), words);
    else if (words.length) words.at(-1).calc = part;
  }
  return words;
}

const MOST_PAIRS = 40_000;

// As pairSteps, which looks at each line with each: what is the same at both ends is not looked at, and what
// is too much between them counts as wholly changed.
function pairLines(left, right) {
  const same = (i, j) => left[i].length === right[j].length && left[i].every((key, place) => key === right[j][place]);
  let begin = 0;
  while (begin < left.length && begin < right.length && same(begin, begin)) begin += 1;
  let end = 0;
  while (end < left.length - begin && end < right.length - begin && same(left.length - 1 - end, right.length - 1 - end)) end += 1;
  const [a, b] = [left.slice(begin, left.length - end), right.slice(begin, right.length - end)];
  const rows = a.length * b.length > MOST_PAIRS ? [...a.map((_, i) => [i, null]), ...b.map((_, j) => [null, j])] : pairSteps(a, b);
  const shift = (place) => (place === null ? null : place + begin);
  return [
    ...left.slice(0, begin).map((_, i) => [i, i]),
    ...rows.map(([i, j]) => [shift(i), shift(j)]),
    ...left.slice(left.length - end).map((_, i) => [left.length - end + i, right.length - end + i]),
  ];
}

// Rows of an edited text against the text before, line by line.
export function editRows(before, after) {
  const [left, right] = [before, after].map((text) => text.split("\n").map(wordsOfLine).filter((words) => words.length));
  return pairLines(left.map(keysOf), right.map(keysOf)).map(([i, j]) => {
    const row = make("p");
    if (j === null) row.append(mark("del", left[i]));
    else if (i === null) row.append(mark("ins", right[j]));
    else row.append(...pieces(diffWords(keysOf(left[i]), keysOf(right[j])), left[i], right[j]));
    if (row.querySelector("ins, del")) row.className = "changed";
    return row;
  });
}
