// Editing one step where it stands, over the whole width, with the rest in view. The edited rationale is the
// text with these steps replaced.

import { keyOf } from "../keys.js";
import { closePanels, make, notice, say } from "../page.js";
import { diffWords } from "../diff.js";
import { changed, decisionOf, isOpen, keep, letterOf, table } from "../table.js";
import { keysOf, pieces, wordsOf } from "../words.js";
import { bringIntoView } from "./places.js";
import { stepHere } from "./reading.js";
import { textOf } from "./text.js";

const LONGEST = 200_000; // characters of a rationale that is sent

// {text, spans}, asked for once.
async function sourceOf(rationale) {
  const text = textOf(rationale);
  text.source ??= text.ask({ what: "text" });
  try {
    return await text.source;
  } catch (problem) {
    text.source = undefined;
    throw problem;
  }
}

const stepText = ({ text, spans }, number) => text.slice(...spans[number - 1]);

function edited({ text, spans }, edits) {
  let [out, at] = ["", 0];
  spans.forEach(([from, to], place) => {
    const now = edits[place + 1];
    out += text.slice(at, from) + (now ?? text.slice(from, to));
    at = to;
  });
  return out + text.slice(at);
}

export async function editStep() {
  const rationale = table.current;
  const row = stepHere();
  if (!row) return notice(`No step is under the cursor: ${keyOf("up")} ${keyOf("down")} go there.`);
  const decision = decisionOf(rationale);
  if (decision.edited && !decision.steps) return notice(`${letterOf(rationale)} is edited as a whole: ${keyOf("edit")} goes on with that.`);
  closePanels();
  const number = Number(row.dataset.step);
  let source;
  try {
    source = await sourceOf(rationale);
  } catch {
    return notice("The text did not come: there is no connection now. Try again in a moment.");
  }
  if (row.querySelector("form") || !row.isConnected) return undefined;
  return open(rationale, row, number, source, decision);
}

function open(rationale, row, number, source, decision) {
  const before = stepText(source, number);
  const form = make("form", { className: "step-editor" });
  const area = make("textarea", { value: decision.drafts?.[number] ?? decision.steps?.[number] ?? before, spellcheck: true, dir: "auto" });
  area.setAttribute("aria-label", `Step ${number} of rationale ${letterOf(rationale)}`);
  const problem = make("p", { className: "problem", hidden: true });
  problem.setAttribute("role", "alert");
  const ends = make("div", { className: "ends" });
  const use = make("button", { type: "submit", className: "primary" });
  use.append("Use this ", make("kbd", { textContent: "Ctrl ⏎" }));
  const back = make("button", { type: "button", className: "quiet" });
  back.append("Back ", make("kbd", { textContent: "Esc" }));
  ends.append(use, back);
  form.append(area, problem, ends);
  row.append(form);
  row.classList.add("edits");
  const fit = () => {
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight + 4, 0.4 * innerHeight)}px`;
  };
  const done = () => {
    form.remove();
    row.classList.remove("edits");
    changed(rationale);
    rationale.focus({ preventScroll: true });
  };
  const take = () => {
    const steps = { ...decision.steps, [number]: area.value };
    if (area.value.trim() === before.trim()) delete steps[number];
    const text = edited(source, steps);
    const refuses = text.length > LONGEST ? `An edited rationale has at most ${LONGEST.toLocaleString("en")} characters.` : text.trim() ? "" : "The edited rationale is empty.";
    problem.textContent = refuses;
    problem.hidden = !refuses;
    if (refuses) return area.focus();
    delete decision.drafts?.[number];
    if (Object.keys(steps).length) Object.assign(decision, { steps, edited: text, verdict: "edit", reasons: [], first: 0 });
    else Object.assign(decision, { steps: undefined, edited: "", verdict: decision.verdict === "edit" ? "" : decision.verdict });
    done();
    say(`Step ${number} of ${letterOf(rationale)} ${steps[number] === undefined ? "as it was" : "edited; the rationale is approved with it"}.`);
    return undefined;
  };
  area.addEventListener("input", () => {
    fit();
    (decision.drafts ??= {})[number] = area.value;
    keep();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    take();
  });
  back.addEventListener("click", done);
  form.addEventListener("click", (event) => event.stopPropagation());
  form.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Escape") done();
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) take();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  fit();
  area.focus({ preventScroll: true });
  bringIntoView(row);
}

// What was changed in the steps that are drawn: words that are gone, words that are new.
export function paintStepEdits(rationale, part = rationale) {
  if (!isOpen(rationale)) return;
  const { steps, verdict } = decisionOf(rationale);
  for (const old of part.querySelectorAll(".step-edited")) old.remove();
  if (!steps || verdict !== "edit") return;
  for (const [number, text] of Object.entries(steps)) {
    const row = textOf(rationale).row(Number(number));
    if (!row || !part.contains(row)) continue;
    const [left, right] = [[], []];
    for (const node of row.querySelector(".text").childNodes) wordsOf(node, left);
    wordsOf(document.createTextNode(text), right);
    const shown = make("div", { className: "step-edited edited" });
    shown.append(...pieces(diffWords(keysOf(left), keysOf(right)), left, right));
    row.querySelector(".says").append(shown);
  }
}
