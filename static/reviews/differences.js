// Shows in the chain under the cursor what differs from another one: words that are new, words that are
// gone, steps that are the same dimmed. The other is the one that the person chose, the one marked as
// the best, or the one that stands first.

import { diffWords, pairSteps } from "./diff.js";
import { whenMoved } from "./moving.js";
import { make, notice, say } from "./page.js";
import { idOf, isOwn, isSeen, letterOf, table, whenBegun } from "./table.js";

let on = false;
let chosen = null;

whenBegun(() => ((chosen = null), (on = false)));
whenMoved(() => on && draw());

function base() {
  const seen = table.chains.filter((one) => isSeen(one) && !isOwn(one));
  return chosen ?? seen.find((one) => idOf(one) === table.draft.best) ?? seen[0];
}

export function turn() {
  on = !on;
  wipe();
  if (!on) return say("Differences are off.");
  draw();
}

export function compareWith() {
  if (isOwn(table.current)) return;
  chosen = table.current;
  on = true;
  draw();
}

// Puts every chain back as it was.
function wipe() {
  for (const chain of table.chains) {
    chain.classList.remove("compared", "base");
    for (const row of chain.querySelectorAll(".step.missing")) row.remove();
    for (const row of chain.querySelectorAll(".step.same")) row.classList.remove("same");
    for (const text of chain.querySelectorAll(".text")) {
      if (text.before_) text.replaceChildren(...text.before_);
      delete text.before_;
    }
  }
}

function draw() {
  wipe();
  const [from, to] = [base(), table.current];
  if (!from || isOwn(to)) return;
  from.classList.add("base");
  if (from === to) {
    notice(`The others are compared with ${letterOf(from)}: move to one of them.`);
    return;
  }
  to.classList.add("compared");
  const [left, right] = [steps(from), steps(to)];
  let [same, other] = [0, 0];
  let after = null;
  const list = to.querySelector(".steps");
  for (const [i, j] of pairSteps(left.map(keys), right.map(keys))) {
    if (j === null) {
      after = place(list, after, missing(left[i]));
      other += 1;
      continue;
    }
    const row = right[j].row;
    after = row;
    const changes = i === null ? null : diffWords(keys(left[i]), keys(right[j]));
    if (changes?.every(([kind]) => kind === "same")) {
      row.classList.add("same");
      same += 1;
      continue;
    }
    other += 1;
    const text = row.querySelector(".text");
    text.before_ = [...text.childNodes];
    text.replaceChildren(...(changes ? pieces(changes, left[i], right[j]) : [mark("ins", right[j].words)]));
  }
  const told = `${letterOf(to)} against ${letterOf(from)}: ${other} step${other === 1 ? "" : "s"} differ${other === 1 ? "s" : ""}, ${same} the same.`;
  notice(told);
  say(told);
}

function place(list, after, row) {
  if (after) after.after(row);
  else list.prepend(row);
  return row;
}

function missing(step) {
  const row = make("li", { className: "step missing" });
  const says = make("div", { className: "says" });
  says.append(mark("del", step.words));
  row.append(make("span"), says);
  return row;
}

const keys = (step) => step.words.map((word) => word.key);

// The steps of a chain as words; a formula is one word, calculator marks and cut-off notes are none.
function steps(chain) {
  return [...chain.querySelectorAll("[data-step]")].map((row) => {
    const words = [];
    for (const node of row.querySelector(".text").childNodes) wordsOf(node, words);
    return { row, words };
  });
}

const WORD = /[\p{L}\p{N}]+(?:[.,'’][\p{L}\p{N}]+)*|[^\s]/gu;

function wordsOf(node, words) {
  if (node.nodeType === Node.TEXT_NODE) {
    let end = 0;
    for (const found of node.data.matchAll(WORD)) {
      const space = found.index > end || (end === 0 && found.index > 0);
      words.push({ key: found[0].toLowerCase(), node: document.createTextNode(found[0]), space });
      end = found.index + found[0].length;
    }
    if (words.length && end < node.data.length) words.at(-1).spaceAfter = true;
  } else if (node.nodeName === "math") {
    words.push({ key: node.textContent, node, space: false });
  } else if (node.nodeName === "BR" && words.length) {
    words.at(-1).spaceAfter = true;
  }
}

// Runs of the same kind stand in one element, with the spaces that were between their words.
function pieces(changes, left, right) {
  const runs = [];
  for (const [kind, i, j] of changes) {
    const word = j === null ? left.words[i] : right.words[j];
    if (runs.at(-1)?.kind !== kind) runs.push({ kind, words: [] });
    runs.at(-1).words.push(word);
  }
  return runs.flatMap(({ kind, words }, place) => {
    const before = runs[place - 1];
    const gap = before && (words[0].space || before.words.at(-1).spaceAfter || (before.kind === "gone" && kind === "new"));
    return [gap ? " " : "", mark({ same: "span", gone: "del", new: "ins" }[kind], words)];
  });
}

function mark(name, words) {
  const element = make(name);
  let open = true; // no space before the first word
  for (const word of words) {
    if (!open && word.space) element.append(" ");
    element.append(word.node.cloneNode(true));
    if (word.spaceAfter) element.append(" ");
    open = word.spaceAfter === true;
  }
  return element;
}
