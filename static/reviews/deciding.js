// What a person says of the rationales: approve, reject, edit, comment, the best one, labels of steps.

import { clean, isEmpty } from "../clean.js";
import { openEditor } from "./rationales.js";
import { groupOf, unfold } from "./groups.js";
import { keyOf } from "./keys.js";
import { beginning } from "./long/notes.js";
import { editStep } from "./long/step_editor.js";
import { advance } from "./moving.js";
import { addPanel, closePanels, notice, say } from "./page.js";
import { Comment, Reasons } from "./panels.js";
import { changed, checking, decisionOf, hidesReference, idOf, isOpen, keep, letterOf, repaint, table } from "./table.js";

export const reasons = new Reasons(document.getElementById("reasons"));
const comments = new Comment(document.getElementById("comment"));
addPanel(reasons);
addPanel(comments);

// What is said of a rationale that stands for others like it is said of them as well.
function decide(rationale, values) {
  for (const one of groupOf(rationale)) set(one, values);
}

function set(rationale, values) {
  Object.assign(decisionOf(rationale), values);
  // What is rejected is not the best.
  if (values.verdict === "reject" && table.draft.best === idOf(rationale)) table.draft.best = null;
  changed(rationale);
}

function tell(rationale, what) {
  const others = groupOf(rationale).slice(1).map(letterOf);
  if (others.length) notice(`${letterOf(rationale)} and ${others.join(", ")}, which are like it: ${what}.`);
  say(`${letterOf(rationale)} ${what}.`);
}

export function approve() {
  const rationale = table.current;
  const on = decisionOf(rationale).verdict !== "approve";
  if (on && !isMeant(rationale)) return;
  decide(rationale, { verdict: on ? "approve" : "", reasons: [] });
  tell(rationale, on ? "approved" : "open again");
  if (on) advance();
}

let asked = "";

// One soft stop: what speaks against an approval is said once, and the same key again approves.
function isMeant(rationale) {
  const { labels } = decisionOf(rationale);
  const bad = Object.keys(labels).filter((number) => labels[number] === -1);
  const isWrong = !hidesReference() && rationale.dataset.grade === "wrong";
  if (!isWrong && !bad.length) return true;
  const why = [
    isWrong && "its answer is wrong",
    bad.length && `${bad.length === 1 ? `step ${bad[0]} is` : `${bad.length} steps are`} labelled bad`,
  ].filter(Boolean).join(", and ");
  const question = `${table.state.item} ${idOf(rationale)} ${why}`;
  if (asked === question) return true;
  asked = question;
  notice(`${letterOf(rationale)}: ${why}. ${keyOf("approve")} again approves it all the same.`);
  return false;
}

export function reject() {
  if (reasons.isOpen) return reasons.confirm();
  closePanels();
  const rationale = table.current;
  const decision = decisionOf(rationale);
  const before = decision.verdict === "reject" ? decision.reasons : suggested(rationale);
  const isSuggested = decision.verdict !== "reject";
  reasons.open(rationale, { reasons: before, comment: decision.typed || decision.comment, isSuggested }, {
    typed: (text) => type(decision, text),
    done: (chosen, comment) => {
      decide(rationale, { verdict: "reject", reasons: chosen, comment, typed: "" });
      tell(rationale, "rejected");
      advance();
    },
    closed: () => rationale.focus({ preventScroll: true }),
  });
}

// Reasons that the scores speak for; a hidden reference must not be given away by them.
const suggested = (rationale) => (hidesReference() ? [] : rationale.dataset.suggest.split(" ").filter(Boolean));

function type(decision, text) {
  decision.typed = text;
  keep();
}

// `begun`: a comment that goes on with what is noted at a place of the text.
export function comment(begun = "") {
  closePanels();
  const rationale = table.current;
  const decision = decisionOf(rationale);
  comments.open(rationale, begun || decision.typed || decision.comment, {
    typed: (text) => type(decision, text),
    done: (text) => {
      Object.assign(decision, { comment: text, typed: "" });
      changed(rationale);
      say(text ? `Comment on ${letterOf(rationale)} kept.` : `No comment on ${letterOf(rationale)}.`);
    },
    closed: () => rationale.focus({ preventScroll: true }),
  });
}

export function noteHere() {
  const begun = beginning(decisionOf(table.current).typed || decisionOf(table.current).comment);
  if (begun) return comment(begun);
  return notice(`Select words of the text, or go to a step (${keyOf("down")}): the comment is on them.`);
}

export function best() {
  const rationale = table.current;
  const before = table.rationales.find((one) => idOf(one) === table.draft.best);
  const on = before !== rationale;
  if (on && decisionOf(rationale).verdict === "reject") return notice("A rejected rationale cannot be the best: approve it, or take the decision back.");
  table.draft.best = on ? idOf(rationale) : null;
  if (before) repaint(before);
  changed(rationale);
  say(on ? `${letterOf(rationale)} is the best.` : "None is marked as the best.");
}

export function edit() {
  const rationale = table.current;
  if (rationale.querySelector(".editor")) return rationale.querySelector("textarea").focus();
  const text = rationale.dataset.text;
  const decision = decisionOf(rationale);
  // A text too long for one field, or one whose steps were edited, is edited step by step.
  if (!text || decision.steps) return table.step ? editStep() : notice(`This rationale is edited step by step: go to one (${keyOf("down")}), or to its number (${keyOf("goto")}).`);
  closePanels();
  openEditor(rationale, decision.edited || text, {
    typed: (edited) => {
      decision.edited = clean(edited) === clean(text) ? "" : edited;
      keep();
    },
    use: (edited) => {
      if (isEmpty(edited)) return "The edited rationale is empty.";
      if (clean(edited) === clean(text)) return "The edit changes nothing: approve the rationale as it stands.";
      Object.assign(decision, { verdict: "edit", edited, reasons: [] });
      return "";
    },
    close: () => closeEdit(rationale, decision),
    check: checking(),
  });
  repaint(rationale);
}

function closeEdit(rationale, decision) {
  if (!decision.edited && decision.verdict === "edit") decision.verdict = "";
  changed(rationale);
  rationale.focus({ preventScroll: true });
  if (decision.verdict !== "edit") return;
  const others = groupOf(rationale).slice(1).map(letterOf);
  if (others.length) {
    unfold(rationale);
    notice(`The edit is of ${letterOf(rationale)} alone: decide on ${others.join(", ")} for themselves.`);
  }
  say(`${letterOf(rationale)} edited and approved.`);
  advance();
}

export function clear() {
  decide(table.current, { verdict: "", reasons: [] });
  tell(table.current, "open again");
}

export function rejectWrong() {
  if (hidesReference()) return notice(`Which answers are wrong shows with the reference (${keyOf("reference")}).`);
  const wrong = table.rationales.filter((one) => isOpen(one) && !decisionOf(one).verdict && one.dataset.grade === "wrong");
  if (!wrong.length) return notice("No open rationale has a wrong answer.");
  for (const rationale of wrong) set(rationale, { verdict: "reject", reasons: rationale.dataset.suggest.split(" ") });
  say(`${wrong.length} rejected: wrong answer.`);
  if (decisionOf(table.current).verdict) advance();
}

export function rejectAll() {
  for (const rationale of table.rationales.filter(isOpen)) set(rationale, { verdict: "reject", reasons: ["bad_question"] });
}
