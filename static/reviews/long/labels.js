// Labels of steps: one by its number, the one under the cursor, and the first wrong one.

import { keyOf } from "../keys.js";
import { notice, say } from "../page.js";
import { changed, decisionOf, hidesReference, isOpen, letterOf, table } from "../table.js";
import { isVisible } from "./places.js";
import { goTo, moveStep, stepHere } from "./reading.js";
import { textOf } from "./text.js";

const NAMES = { 1: "good", 0: "neutral", "-1": "bad" };

const refuses = (rationale) => {
  if (isOpen(rationale)) return false;
  notice(`${letterOf(rationale)} takes no labels.`);
  return true;
};

function put(rationale, number, value) {
  const { labels } = decisionOf(rationale);
  const isBack = labels[number] === value;
  if (isBack) delete labels[number];
  else labels[number] = value;
  changed(rationale);
  say(`Step ${number}: ${isBack ? "no label" : NAMES[value]}`);
  return isBack;
}

// By a number key. A step that is not on the screen comes there with its label, and that is said.
export async function label(number, value) {
  const rationale = table.current;
  if (refuses(rationale)) return;
  const text = textOf(rationale);
  if (!text.partOf(number)) return notice(`${letterOf(rationale)} has no step ${number}.`);
  const row = text.row(number);
  const wasHidden = text.isFolded(number) || !row || !isVisible(row);
  if (wasHidden && !(await goTo(number))) return;
  const isBack = put(rationale, number, value);
  if (wasHidden) notice(`Step ${number} was not on the screen: it is now, and ${isBack ? "has no label" : `is labelled ${NAMES[value]}`}.`);
}

// Returns the step under the cursor, where it can be labelled.
function here() {
  if (refuses(table.current)) return null;
  const row = stepHere();
  if (!table.step || (row === null && !textOf(table.current).isLong)) {
    notice(`No step is under the cursor: ${keyOf("up")} ${keyOf("down")} go there, and 1 to 9 name one.`);
    return null;
  }
  if (row && isVisible(row)) return table.step;
  const number = table.step;
  goTo(number);
  notice(`Step ${number} was not on the screen. It is now: press again to label it.`);
  return null;
}

// Labels the step under the cursor and goes on to the next one; the same label again takes it back.
export function mark(value) {
  const number = here();
  if (!number) return;
  if (!put(table.current, number, value)) moveStep(1);
}

export function cycle(number = here()) {
  if (!number) return;
  const now = decisionOf(table.current).labels[number];
  const next = { undefined: 1, 1: 0, 0: -1 }[now];
  put(table.current, number, next ?? now);
}

// ---- the first wrong step

// Good before it, bad here, rejected for a wrong step. At the same step again: all of it is taken back.
export function firstWrong(number = here()) {
  if (!number) return;
  const rationale = table.current;
  const decision = decisionOf(rationale);
  const { labels, first } = decision;
  const isBack = first === number && labels[number] === -1;
  // What an earlier press of this key labelled is no longer so.
  if (first) {
    for (let n = 1; n < first; n += 1) if (labels[n] === 1 && (isBack || n >= number)) delete labels[n];
    delete labels[first];
  }
  if (isBack) {
    Object.assign(decision, { first: 0, verdict: "", reasons: [] });
    changed(rationale);
    return notice(`${letterOf(rationale)} is open again, and its labels before step ${number} are taken back.`);
  }
  for (let n = 1; n < number; n += 1) if (labels[n] !== 0) labels[n] = 1;
  labels[number] = -1;
  const others = !hidesReference() && rationale.dataset.grade === "wrong" ? ["wrong_answer"] : [];
  Object.assign(decision, { first: number, verdict: "reject", reasons: [...others, "wrong_step"] });
  if (table.draft.best === rationale.dataset.rationale) table.draft.best = null;
  changed(rationale);
  const before = number > 1 ? ` The ${number === 2 ? "step" : `${number - 1} steps`} before it ${number === 2 ? "is" : "are"} labelled good, also what is not on the screen.` : "";
  notice(`${letterOf(rationale)} is rejected: step ${number} is the first wrong one.${before} ${keyOf("reject")} changes why, ${keyOf("first_wrong")} takes it back.`);
  return undefined;
}
