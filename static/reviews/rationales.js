// How one rationale looks: its decision, its step labels, its edit. Reads a decision, writes the page.

import { CHECK_KEY, Check, isCheckKey } from "./check.js";
import { showTimes } from "../times.js";
import { editRows } from "./words.js";

export const LABELS = { 1: ["good", "+"], 0: ["neutral", "○"], "-1": ["bad", "−"] };

const VERBS = { approve: ["Approve", "Approved"], reject: ["Reject", "Rejected"], edit: ["Edit", "Edited"] };

// `typed`: a comment that stands in an open panel and is not confirmed yet.
export function blank() {
  return { verdict: "", reasons: [], comment: "", typed: "", labels: {}, edited: "" };
}

export function paint(rationale, decision, { reasonWords, best }) {
  const { verdict } = decision;
  for (const name of ["approve", "reject", "edit"]) rationale.classList.toggle(`is-${name}`, verdict === name);
  rationale.querySelector(".chip.best").hidden = !best;
  for (const button of rationale.querySelectorAll("[data-rationale-do]")) {
    const on = button.dataset.rationaleDo === verdict;
    button.setAttribute("aria-pressed", String(on));
    button.textContent = VERBS[button.dataset.rationaleDo][Number(on)];
  }
  const told = rationale.querySelector(".told");
  told.dataset.rule ??= told.textContent;
  told.textContent = words(decision, reasonWords) || told.dataset.rule;
  told.title = told.textContent;
  paintMarks(rationale, decision.labels);
  paintEdit(rationale, decision);
}

const painted = new WeakMap();

// The circles of the steps, of the whole rationale or of a part of it: the step's number and its label.
export function paintMarks(rationale, labels, part = rationale) {
  const locked = rationale.classList.contains("locked");
  for (const step of part.querySelectorAll("[data-step]")) {
    const number = step.dataset.step;
    const value = labels[number];
    if (painted.has(step) && painted.get(step) === value) continue;
    painted.set(step, value);
    const [name, sign] = LABELS[value] ?? ["", ""];
    const mark = step.querySelector(".mark");
    mark.className = `mark ${name}`;
    mark.textContent = sign + number;
    mark.setAttribute("aria-label", `Step ${number}: ${name || "no label"}`);
    mark.disabled = locked;
  }
}

function words(decision, reasonWords) {
  const said = decision.comment ? [`“${decision.comment}”`] : [];
  if (decision.verdict === "reject") {
    said.unshift(...decision.reasons.filter((one) => one !== "other").map((one) => reasonWords[one]));
  } else if (decision.verdict === "edit") {
    said.unshift("and approved");
  } else if (decision.edited) {
    said.unshift("edit kept, not used");
  }
  return said.join(", ");
}

// The person's own rationale: its text line by line, or a note that it is only kept.
export function paintOwn(rationale, own) {
  rationale.classList.toggle("is-edit", own.used);
  const steps = rationale.querySelector(".steps");
  const lines = rationale.querySelector(".editor") ? [] : own.text.split("\n").filter((line) => line.trim());
  steps.replaceChildren(...lines.map((line) => Object.assign(document.createElement("li"), { className: "step none", textContent: line })));
  rationale.querySelector(".told").textContent = own.used ? "goes with your decisions" : "a draft, is not sent";
}

function paintEdit(rationale, decision) {
  rationale.querySelector(".edited")?.remove();
  const steps = rationale.querySelector(".steps");
  const editing = rationale.querySelector(".editor") !== null;
  // Edits of single steps show where they stand; a long text is not put there a second time.
  const inPlace = decision.steps || (!rationale.dataset.text && decision.edited);
  const used = decision.verdict === "edit" && !editing && !inPlace;
  steps.hidden = used || editing;
  for (const part of rationale.querySelectorAll(".flag.whole, .thinking")) part.hidden = used || editing;
  if (!used) return;
  const box = Object.assign(document.createElement("div"), { className: "edited" });
  box.append(...editRows(rationale.dataset.text ?? "", decision.edited));
  steps.before(box);
}

// Opens a text field in the rationale. `typed(text)` hears every key, `use(text)` returns why the text
// cannot be used or "", `close()` comes after Escape and after a text that was used. `check`: see Check.
export function openEditor(rationale, text, { typed, use, close, check }) {
  const form = document.createElement("form");
  form.className = "editor";
  const area = Object.assign(document.createElement("textarea"), { value: text, spellcheck: true });
  area.setAttribute("aria-label", `Rationale ${rationale.dataset.letter}, edited`);
  const problem = Object.assign(document.createElement("p"), { className: "problem", hidden: true });
  problem.setAttribute("role", "alert");
  const ends = Object.assign(document.createElement("div"), { className: "ends" });
  const place = document.createElement("div");
  const [checks, back] = [button("Check", CHECK_KEY, "button"), button("Back", "Esc", "button")];
  ends.append(button("Use this", "Ctrl ⏎", "submit"), back, checks);
  form.append(area, place, problem, ends);
  rationale.querySelector(".steps").before(form);
  const checker = new Check(area, place, check);
  checks.addEventListener("click", () => checker.run());

  const done = () => {
    form.remove();
    close();
  };
  const take = () => {
    problem.textContent = use(area.value);
    problem.hidden = !problem.textContent;
    if (problem.hidden) done();
    else area.focus();
  };
  area.addEventListener("input", () => typed(area.value));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    take();
  });
  back.addEventListener("click", done);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") done();
    else if (isCheckKey(event)) checker.run();
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) take();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  area.focus();
  area.setSelectionRange(area.value.length, area.value.length);
}

function button(text, key, type) {
  const made = Object.assign(document.createElement("button"), { type, textContent: `${text} ` });
  made.className = type === "submit" ? "primary" : "quiet";
  made.append(Object.assign(document.createElement("kbd"), { textContent: key }));
  return made;
}


// The server's times in the reader's own time zone.
export const showClocks = showTimes;
