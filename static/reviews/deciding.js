// What a person says of the chains: approve, reject, edit, comment, the best one, labels of steps.

import { openEditor } from "./chains.js";
import { groupOf, unfold } from "./groups.js";
import { keyOf } from "./keys.js";
import { advance } from "./moving.js";
import { addPanel, closePanels, notice, say } from "./page.js";
import { Comment, Reasons } from "./panels.js";
import { changed, checking, decisionOf, hidesReference, idOf, isOpen, keep, letterOf, repaint, table } from "./table.js";

export const reasons = new Reasons(document.getElementById("reasons"));
const comments = new Comment(document.getElementById("comment"));
addPanel(reasons);
addPanel(comments);

// What is said of a chain that stands for others like it is said of them as well.
function decide(chain, values) {
  for (const one of groupOf(chain)) set(one, values);
}

function set(chain, values) {
  Object.assign(decisionOf(chain), values);
  // What is rejected is not the best.
  if (values.verdict === "reject" && table.draft.best === idOf(chain)) table.draft.best = null;
  changed(chain);
}

function tell(chain, what) {
  const others = groupOf(chain).slice(1).map(letterOf);
  if (others.length) notice(`${letterOf(chain)} and ${others.join(", ")}, which are like it: ${what}.`);
  say(`${letterOf(chain)} ${what}.`);
}

export function approve() {
  const chain = table.current;
  const on = decisionOf(chain).verdict !== "approve";
  decide(chain, { verdict: on ? "approve" : "", reasons: [] });
  tell(chain, on ? "approved" : "open again");
  if (on) advance();
}

export function reject() {
  if (reasons.isOpen) return reasons.confirm();
  closePanels();
  const chain = table.current;
  const decision = decisionOf(chain);
  const before = decision.verdict === "reject" ? decision.reasons : suggested(chain);
  const isSuggested = decision.verdict !== "reject";
  reasons.open(chain, { reasons: before, comment: decision.typed || decision.comment, isSuggested }, {
    typed: (text) => type(decision, text),
    done: (chosen, comment) => {
      decide(chain, { verdict: "reject", reasons: chosen, comment, typed: "" });
      tell(chain, "rejected");
      advance();
    },
    closed: () => chain.focus({ preventScroll: true }),
  });
}

// Reasons that the scores speak for; a hidden reference must not be given away by them.
const suggested = (chain) => (hidesReference() ? [] : chain.dataset.suggest.split(" ").filter(Boolean));

function type(decision, text) {
  decision.typed = text;
  keep();
}

export function comment() {
  closePanels();
  const chain = table.current;
  const decision = decisionOf(chain);
  comments.open(chain, decision.typed || decision.comment, {
    typed: (text) => type(decision, text),
    done: (text) => {
      Object.assign(decision, { comment: text, typed: "" });
      changed(chain);
      say(text ? `Comment on ${letterOf(chain)} kept.` : `No comment on ${letterOf(chain)}.`);
    },
    closed: () => chain.focus({ preventScroll: true }),
  });
}

export function best() {
  const chain = table.current;
  const before = table.chains.find((one) => idOf(one) === table.draft.best);
  const on = before !== chain;
  if (on && decisionOf(chain).verdict === "reject") return notice("A rejected chain cannot be the best: approve it, or take the decision back.");
  table.draft.best = on ? idOf(chain) : null;
  if (before) repaint(before);
  changed(chain);
  say(on ? `${letterOf(chain)} is the best.` : "None is marked as the best.");
}

export function edit() {
  const chain = table.current;
  if (chain.querySelector(".editor")) return chain.querySelector("textarea").focus();
  const text = chain.dataset.text;
  if (!text) return notice("This chain is too long to edit here.");
  closePanels();
  const decision = decisionOf(chain);
  openEditor(chain, decision.edited || text, {
    typed: (edited) => {
      decision.edited = edited.trim() === text.trim() ? "" : edited;
      keep();
    },
    use: (edited) => {
      if (!edited.trim()) return "The edited chain is empty.";
      if (edited.trim() === text.trim()) return "The edit changes nothing: approve the chain as it stands.";
      Object.assign(decision, { verdict: "edit", edited, reasons: [] });
      return "";
    },
    close: () => closeEdit(chain, decision),
    check: checking(),
  });
  repaint(chain);
}

function closeEdit(chain, decision) {
  if (!decision.edited && decision.verdict === "edit") decision.verdict = "";
  changed(chain);
  chain.focus({ preventScroll: true });
  if (decision.verdict !== "edit") return;
  const others = groupOf(chain).slice(1).map(letterOf);
  if (others.length) {
    unfold(chain);
    notice(`The edit is of ${letterOf(chain)} alone: decide on ${others.join(", ")} for themselves.`);
  }
  say(`${letterOf(chain)} edited and approved.`);
  advance();
}

export function clear() {
  decide(table.current, { verdict: "", reasons: [] });
  tell(table.current, "open again");
}

export function rejectWrong() {
  if (hidesReference()) return notice(`Which answers are wrong shows with the reference (${keyOf("reference")}).`);
  const wrong = table.chains.filter((one) => isOpen(one) && !decisionOf(one).verdict && one.dataset.grade === "wrong");
  if (!wrong.length) return notice("No open chain has a wrong answer.");
  for (const chain of wrong) set(chain, { verdict: "reject", reasons: chain.dataset.suggest.split(" ") });
  say(`${wrong.length} rejected: wrong answer.`);
  if (decisionOf(table.current).verdict) advance();
}

export function rejectAll() {
  for (const chain of table.chains.filter(isOpen)) set(chain, { verdict: "reject", reasons: ["bad_question"] });
}

// ---- labels of steps

export function label(number, value) {
  const chain = table.current;
  const row = chain.querySelector(`[data-step="${number}"]`);
  if (!isOpen(chain)) return notice(`${letterOf(chain)} takes no labels.`);
  if (!row) return notice(`${letterOf(chain)} has no step ${number}.`);
  const { labels } = decisionOf(chain);
  if (labels[number] === value) delete labels[number];
  else labels[number] = value;
  changed(chain);
  say(row.querySelector(".mark").getAttribute("aria-label"));
}

export function cycle(number) {
  const now = decisionOf(table.current).labels[number];
  const next = { undefined: 1, 1: 0, 0: -1 }[now];
  label(number, next ?? now);
}
