// The review bench: one question, its rationales, decisions held here until they are sent together. This
// file joins the parts and listens; each act stands in the module of its subject.

import { skipDialog } from "./asks.js";
import { showClocks } from "./rationales.js";
import { Claim } from "./claim.js";
import * as deciding from "./deciding.js";
import * as differences from "./differences.js";
import { flagDialog } from "./flags.js";
import * as groups from "./groups.js";
import { KeysDialog } from "./keys_dialog.js";
import { isTyping, keyOf, paintKeys, read } from "./keys.js";
import { beside, move, moveStep, setStep } from "./moving.js";
import * as own from "./own.js";
import { closePanels, hideNotice, notice, openDialog, openPanel, restoreLooks, toggleLook } from "./page.js";
import * as sending from "./sending.js";
import { box, csrf, drafts, isOpen, isOwn, keep, letterOf, root, table } from "./table.js";

const skip = skipDialog(sending.skip);
const flag = flagDialog({ post: sending.post, skip: sending.skip });

const acts = {
  approve: deciding.approve,
  reject: deciding.reject,
  edit: () => (isOwn(table.current) ? own.write() : deciding.edit()),
  best: deciding.best,
  comment: deciding.comment,
  own: own.write,
  reject_wrong: deciding.rejectWrong,
  flag: () => flag.open(),
  clear: () => (isOwn(table.current) ? own.takeBack() : deciding.clear()),
  next: sending.next,
  skip: () => skip.open(),
  undo: sending.undo,
  left: () => beside(-1),
  right: () => beside(1),
  up: () => moveStep(-1),
  down: () => moveStep(1),
  label: ({ number, value }) => deciding.label(number, value),
  good: () => labelHere((step) => deciding.label(step, 1)),
  neutral: () => labelHere((step) => deciding.label(step, 0)),
  bad: () => labelHere((step) => deciding.label(step, -1)),
  cycle: () => labelHere(deciding.cycle),
  differences: differences.turn,
  compare_with: differences.compareWith,
  unfold: () => groups.turn(),
  reference: showReference,
  marks: () => toggleLook("show-calc"),
  wrote: showWrote,
  guidelines: () => openDialog("guidelines"),
  keys: () => openDialog("keys"),
};
const ALWAYS = new Set(["undo", "guidelines", "keys"]);
const ON_RATIONALE = new Set(["approve", "reject", "edit", "clear", "best", "comment"]);
// While decisions are on their way, one may look, and no more.
const LOOKS = new Set(["left", "right", "up", "down", "differences", "compare_with", "unfold", "reference", "marks", "wrote", "guidelines", "keys"]);
const KEEPS_PANEL = new Set(["reject", "next", "marks"]);

// Where the project hides the reference, the first press shows it, with the grades that would give it
// away; then the key opens and closes the worked answer, as everywhere.
function showReference() {
  const hides = box.querySelector(".table.hides-reference");
  if (hides) {
    hides.classList.remove("hides-reference");
    for (const rationale of table.rationales) {
      if (rationale.dataset.graded) rationale.setAttribute("aria-label", rationale.dataset.graded);
    }
    return;
  }
  const worked = box.querySelector(".worked");
  if (worked) worked.open = !worked.open;
  else notice("This question has no worked answer.");
}

function showWrote() {
  if (box.querySelector(".wrote")) toggleLook("show-wrote");
  else notice("Who wrote the rationales is hidden in this project.");
}

function labelHere(act) {
  if (table.step) act(table.step);
  else notice(`No step is under the cursor: ${keyOf("up")} ${keyOf("down")} go there, and 1 to 9 name one.`);
}

function act(name, detail = {}) {
  sending.touch();
  if (table.state.item === null && !ALWAYS.has(name)) return;
  if (sending.isBusy() && !LOOKS.has(name)) return notice("Your decisions are on their way: one moment.");
  if (ON_RATIONALE.has(name) && !isOpen(table.current)) {
    if (!isOwn(table.current)) return notice(`${letterOf(table.current)} is decided already; it is shown for comparison.`);
    if (name !== "edit" && name !== "clear") return notice("This is your own rationale: edit it, or take it back.");
  }
  if (name !== "next" && !table.lost && !sending.isBusy()) hideNotice();
  if (!KEEPS_PANEL.has(name)) closePanels();
  acts[name](detail);
}

// ---- listening

document.addEventListener("keydown", (event) => {
  const dialog = document.querySelector("dialog[open]");
  const found = read(event);
  if (dialog) {
    if (dialog.id === found?.act && (dialog.id === "keys" || dialog.id === "guidelines")) {
      dialog.close();
      event.preventDefault();
    }
    return;
  }
  if (!isTyping(event.target) && sending.typesOn()) return event.preventDefault();
  if (!event.target.closest?.(".editor") && openPanel()?.key(event)) return sending.touch();
  if (isTyping(event.target) || !found || (event.repeat && !found.repeats)) return;
  const onButton = event.target instanceof Element && event.target.closest("button, a, summary");
  if (onButton && (event.key === "Enter" || event.key === " ")) return;
  if (event.key === " " && found.act === "cycle" && !table.step) return;
  event.preventDefault();
  if (found.act === "next") sending.next();
  else act(found.act, found);
});

root.addEventListener("click", (event) => {
  const target = event.target;
  const rationale = target.closest(".rationale");
  if (rationale && rationale !== table.current && !rationale.querySelector(".editor")) move(rationale);
  const button = target.closest("button");
  // A click of the mouse leaves no focus behind: Enter goes on to mean "next".
  if (button && event.detail > 0 && !button.closest(".editor, .panel")) table.current?.focus({ preventScroll: true });
  const row = target.closest("[data-step]");
  if (row && rationale) setStep(row);
  if (target.closest(".mark") && isOpen(rationale)) deciding.cycle(Number(row.dataset.step));
  else if (button?.dataset.rationaleDo) act(button.dataset.rationaleDo);
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-do]");
  if (!button) return;
  button.closest("details")?.removeAttribute("open");
  if (button.dataset.do === "next") sending.next();
  else act(button.dataset.do);
});

new Claim(root.dataset).start({
  item: () => (table.lost || sending.isBusy() ? null : table.state.item),
  renewed: (until) => {
    const shown = document.getElementById("until");
    if (shown) shown.dateTime = until;
    showClocks(box);
    sending.renewed(until);
  },
  lost: (message) => !sending.isBusy() && sending.lose(message),
  second: () => table.state.item !== null && (table.draft.seconds += 1),
  leaves: () => table.isSentElsewhere || keep(),
});
restoreLooks();
paintKeys(document);
new KeysDialog(document.getElementById("keys"), { url: root.dataset.keys, csrf });
await drafts.recover();
sending.start(JSON.parse(document.getElementById("bench-state").textContent));
root.dataset.begun = ""; // from here on keys are heard
