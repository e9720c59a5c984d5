// The review bench: one question, its rationales, decisions held here until they are sent together. This
// file joins the parts and listens; each act stands in the module of its subject.

import { skipDialog } from "./asks.js";
import { paintMarks, showClocks } from "./rationales.js";
import { Claim } from "./claim.js";
import * as deciding from "./deciding.js";
import * as differences from "./differences.js";
import { flagDialog } from "./flags.js";
import * as groups from "./groups.js";
import { KeysDialog } from "./keys_dialog.js";
import { isTyping, keyOf, paintKeys, read } from "./keys.js";
import * as bars from "./long/bars.js";
import * as labels from "./long/labels.js";
import * as layout from "./long/layout.js";
import { redraw } from "./long/map.js";
import { paintNotes } from "./long/notes.js";
import * as going from "./long/reading.js";
import { editStep, paintStepEdits } from "./long/step_editor.js";
import { setUp, textOf } from "./long/text.js";
import { beside, move, setStep, whenMoved } from "./moving.js";
import * as own from "./own.js";
import * as raw from "./raw.js";
import { readDialog } from "./readings.js";
import { closePanels, hideNotice, notice, openDialog, openPanel, restoreLooks, toggleLook } from "./page.js";
import * as sending from "./sending.js";
import { box, csrf, decisionOf, drafts, isOpen, isOwn, keep, letterOf, root, table, whenPainted } from "./table.js";

const skip = skipDialog(sending.skip);
const flag = flagDialog({ post: sending.post, skip: sending.skip });
const readAs = readDialog({ post: sending.post });

const acts = {
  approve: deciding.approve,
  reject: deciding.reject,
  edit: () => (isOwn(table.current) ? own.write() : deciding.edit()),
  best: deciding.best,
  comment: () => deciding.comment(),
  own: own.write,
  reject_wrong: deciding.rejectWrong,
  flag: () => flag.open(),
  read: () => readAs.open(),
  clear: () => (isOwn(table.current) ? own.takeBack() : deciding.clear()),
  next: sending.next,
  skip: () => skip.open(),
  undo: sending.undo,
  left: () => beside(-1),
  right: () => beside(1),
  up: () => going.moveStep(-1),
  down: () => going.moveStep(1),
  page_up: () => going.page(-1),
  page_down: () => going.page(1),
  top: () => going.toEnd(-1),
  bottom: () => going.toEnd(1),
  goto: bars.openGoto,
  find: bars.openFind,
  next_flag: () => going.flag(1),
  previous_flag: () => going.flag(-1),
  next_doubt: () => going.doubt(1),
  previous_doubt: () => going.doubt(-1),
  label: ({ number, value }) => labels.label(number, value),
  good: () => labels.mark(1),
  neutral: () => labels.mark(0),
  bad: () => labels.mark(-1),
  cycle: () => labels.cycle(),
  first_wrong: () => labels.firstWrong(),
  edit_step: editStep,
  note: deciding.noteHere,
  wide: layout.turn,
  differences: differences.turn,
  compare_with: differences.compareWith,
  unfold: () => groups.turn(),
  reference: showReference,
  marks: () => toggleLook("show-calc"),
  wrote: showWrote,
  raw: raw.turn,
  guidelines: () => openDialog("guidelines"),
  keys: () => openDialog("keys"),
};
const ALWAYS = new Set(["undo", "guidelines", "keys"]);
const ON_RATIONALE = new Set(["approve", "reject", "edit", "clear", "best", "comment", "edit_step", "note"]);
// While decisions are on their way, one may look, and no more.
const LOOKS = new Set(["left", "right", "up", "down", "page_up", "page_down", "top", "bottom", "goto", "find", "next_flag", "previous_flag", "next_doubt", "previous_doubt", "wide", "differences", "compare_with", "unfold", "reference", "marks", "wrote", "raw", "guidelines", "keys"]);
const SIDEWAYS = new Set(["ArrowLeft", "ArrowRight", "Home", "End"]);
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

// ---- what is drawn

setUp({
  url: root.dataset.steps,
  paint: (rationale, part) => {
    paintMarks(rationale, isOpen(rationale) ? decisionOf(rationale).labels : {}, part);
    paintKinds(rationale, part);
  },
});

function paintKinds(rationale, part = rationale) {
  paintNotes(rationale, part);
  paintStepEdits(rationale, part);
}

whenPainted((rationale) => {
  paintKinds(rationale);
  layout.paintTabs();
  redraw();
});
// The steps that did not come with the question, and what scrolls by itself, once the rationale is painted.
whenMoved((rationale) => setTimeout(() => {
  if (rationale.isConnected) going.markBoxes(rationale);
  textOf(rationale).load().catch(() => {}); // asked for again when they are wanted
}, 0));

// A thought that the teacher's address gave apart comes when it is opened.
box.addEventListener("toggle", async ({ target }) => {
  if (!target.matches?.(".thinking[data-later][open]")) return;
  delete target.dataset.later;
  try {
    const { html } = await textOf(target.closest(".rationale")).ask({ what: "thought" });
    target.querySelector("div").innerHTML = html;
  } catch {
    target.dataset.later = "";
    target.open = false;
    notice("The thought did not come: there is no connection now. Try again in a moment.");
  }
}, { capture: true });

// ---- listening

// Esc closes the menu, and the focus goes back to where keys are heard.
function closeMore() {
  const menu = document.querySelector(".do details[open]");
  if (!menu) return false;
  menu.removeAttribute("open");
  table.current?.focus({ preventScroll: true });
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && closeMore()) return;
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
  if (SIDEWAYS.has(event.key) && going.scrollsItself(event.target)) return;
  const onButton = event.target instanceof Element && event.target.closest("button, a, summary");
  if (onButton && (event.key === "Enter" || event.key === " ")) return;
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
  if (row && rationale) setStep(row, { scrolls: false });
  if (target.closest(".mark") && isOpen(rationale)) labels.cycle(Number(row.dataset.step));
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
document.getElementById("not-yet")?.remove();
root.dataset.begun = ""; // from here on keys are heard
