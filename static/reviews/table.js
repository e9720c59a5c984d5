// What lies on the table: the question, its chains, and what the person has decided and typed so far.
// The other modules read it here and change it through these functions.

import { blank, foldThoughts, paint, paintOwn, showClocks } from "./chains.js";
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
  state: { item: null }, draft: Drafts.blank(), chains: [], current: null, step: 0, lost: false, isSentElsewhere: false,
};

drafts.whenDropped((item) => item === table.state.item && (table.isSentElsewhere = true));

const reasonWords = Object.fromEntries(
  [...document.querySelectorAll("#reasons [data-reason]")].map((one) => [one.dataset.reason, one.dataset.words]),
);

const onBegin = [];
// `act` is called whenever another question, or none, has come.
export const whenBegun = (act) => onBegin.push(act);

export const idOf = (chain) => chain.dataset.rationale;
export const isOwn = (chain) => chain.classList.contains("own");
// Takes decisions: neither decided by somebody before, nor the person's own.
export const isOpen = (chain) => !chain.classList.contains("locked") && !isOwn(chain);
export const isSeen = (chain) => !chain.classList.contains("folded");
export const letterOf = (chain) => chain.dataset.letter;

export function decisionOf(chain) {
  return (table.draft.decisions[idOf(chain)] ??= blank());
}

export function begin(state) {
  Object.assign(table, { state, lost: false, step: 0, current: null, isSentElsewhere: false });
  hideNotice();
  showClocks(box);
  paintKeys(box);
  table.chains = [...box.querySelectorAll(".chain")];
  const none = state.item === null;
  root.classList.toggle("no-item", none);
  for (const button of root.querySelectorAll(".needs-item, .needs-item button")) {
    if (button instanceof HTMLButtonElement) button.disabled = none;
  }
  table.draft = none ? Drafts.blank() : drafts.get(state.item);
  if (!none) prefill(state.prefill);
  for (const [id, one] of Object.entries(table.draft.decisions)) table.draft.decisions[id] = { ...blank(), ...one };
  for (const chain of table.chains) {
    chain.dataset.text = state.texts?.[idOf(chain)] ?? "";
    foldThoughts(chain);
  }
  for (const act of onBegin) act();
  for (const chain of table.chains) repaint(chain);
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

export function repaint(chain) {
  if (isOwn(chain)) paintOwn(chain, table.draft.own);
  else if (isOpen(chain)) paint(chain, decisionOf(chain), { reasonWords, best: table.draft.best === idOf(chain) });
}

export function changed(chain) {
  repaint(chain);
  keep();
  ready();
}

export function keep() {
  const { state, draft, current } = table;
  if (state.item === null) return;
  draft.chain = current ? idOf(current) : null;
  table.isSentElsewhere = false;
  drafts.put(state.item, draft);
}

// The button of the next question counts what is decided, and is the first one to press when all is.
export function ready() {
  const next = document.getElementById("next");
  const open = table.chains.filter(isOpen);
  const decided = open.filter((chain) => decisionOf(chain).verdict).length;
  const all = table.state.item !== null && decided > 0 && decided === open.length;
  next.classList.toggle("primary", all);
  root.querySelector('.do [data-do="approve"]').classList.toggle("primary", !all);
  next.querySelector("span").textContent = open.length && decided ? `Next ${decided}/${open.length}` : "Next";
}
