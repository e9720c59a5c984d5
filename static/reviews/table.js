// What lies on the table: the question, its rationales, and what the person has decided and typed so far.
// The other modules read it here and change it through these functions.

import { blank, paint, paintMarks, paintOwn, showClocks } from "./rationales.js";
import { Drafts } from "./drafts.js";
import { paintKeys } from "./keys.js";
import { hideNotice } from "./page.js";

export const root = document.getElementById("bench");
export const box = document.getElementById("item");
export const { csrf } = root.dataset;
export const drafts = new Drafts(root.dataset.user, root.dataset.project);

// `step`: the step under the cursor, 0 for none. `lost`: somebody else has this question now.
// `isSentElsewhere`: another tab has sent this question, and nothing was changed here since.
export const table = {
  state: { item: null }, draft: Drafts.blank(), rationales: [], current: null, step: 0, lost: false, isSentElsewhere: false,
};

drafts.whenDropped((item) => item === table.state.item && (table.isSentElsewhere = true));

const reasonWords = Object.fromEntries(
  [...document.querySelectorAll("#reasons [data-reason]")].map((one) => [one.dataset.reason, one.dataset.words]),
);

const onBegin = [];
// `act` is called whenever another question, or none, has come.
export const whenBegun = (act) => onBegin.push(act);

const onPaint = [];
// `act(rationale)` is called whenever a rationale is painted anew.
export const whenPainted = (act) => onPaint.push(act);

export const idOf = (rationale) => rationale.dataset.rationale;
export const isOwn = (rationale) => rationale.classList.contains("own");
// Takes decisions: neither decided by somebody before, nor the person's own.
export const isOpen = (rationale) => !rationale.classList.contains("locked") && !isOwn(rationale);
export const isSeen = (rationale) => !rationale.classList.contains("folded");
export const letterOf = (rationale) => rationale.dataset.letter;

export function decisionOf(rationale) {
  return (table.draft.decisions[idOf(rationale)] ??= blank());
}

export function begin(state) {
  Object.assign(table, { state, lost: false, step: 0, current: null, isSentElsewhere: false });
  hideNotice();
  showClocks(box);
  paintKeys(box);
  table.rationales = [...box.querySelectorAll(".rationale")];
  const none = state.item === null;
  root.classList.toggle("no-item", none);
  for (const button of root.querySelectorAll(".needs-item, .needs-item button")) {
    if (button instanceof HTMLButtonElement) button.disabled = none;
  }
  table.draft = none ? Drafts.blank() : drafts.get(state.item);
  if (!none) prefill(state.prefill);
  for (const [id, one] of Object.entries(table.draft.decisions)) table.draft.decisions[id] = { ...blank(), ...one };
  for (const rationale of table.rationales) {
    rationale.dataset.text = state.texts?.[idOf(rationale)] ?? "";
  }
  for (const act of onBegin) act();
  for (const rationale of table.rationales) repaint(rationale);
  ready();
}

// An undo brings back what was sent; what was typed here since then is newer.
function prefill({ own, ...decisions }) {
  const { draft } = table;
  if (Object.values(draft.decisions).some((one) => one.verdict || one.edited)) return;
  draft.decisions = { ...draft.decisions, ...decisions };
  draft.best ??= Object.keys(decisions).find((id) => decisions[id].best) ?? null;
  if (own && !draft.own.text) draft.own = { text: own.text, used: true };
}

// Where the project hides the reference until it is asked for, and it was not yet.
export const hidesReference = () => box.querySelector(".table.hides-reference") !== null;

// How a text is checked that is written for the question on the table, see Check.
export const checking = () => ({ url: root.dataset.check, csrf, item: table.state.item, hidesGrade: hidesReference });

export function repaint(rationale) {
  if (isOwn(rationale)) paintOwn(rationale, table.draft.own);
  else if (isOpen(rationale)) paint(rationale, decisionOf(rationale), { reasonWords, best: table.draft.best === idOf(rationale) });
  else paintMarks(rationale, {});
  for (const act of onPaint) act(rationale);
}

export function changed(rationale) {
  repaint(rationale);
  keep();
  ready();
}

export function keep() {
  const { state, draft, current } = table;
  if (state.item === null) return;
  draft.rationale = current ? idOf(current) : null;
  table.isSentElsewhere = false;
  drafts.put(state.item, draft);
}

// The button of the next question counts what is decided, and is the first one to press when all is.
export function ready() {
  const next = document.getElementById("next");
  const open = table.rationales.filter(isOpen);
  const decided = open.filter((rationale) => decisionOf(rationale).verdict).length;
  const all = table.state.item !== null && decided > 0 && decided === open.length;
  next.classList.toggle("primary", all);
  root.querySelector('.do [data-do="approve"]').classList.toggle("primary", !all);
  next.querySelector("span").textContent = open.length && decided ? `Next ${decided}/${open.length}` : "Next";
}
