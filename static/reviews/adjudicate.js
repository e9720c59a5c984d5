// Deciding where reviews disagree, by the keys of the bench; what is chosen and typed survives a closed
// tab.

import { CaseDraft } from "./case_draft.js";
import { Check, isCheckKey } from "./check.js";
import { KeysDialog } from "./keys_dialog.js";
import { DOUBLE, digitOf, paintKeys, read } from "./keys.js";

const form = document.getElementById("case");
const bar = document.querySelector("[data-keys-there]");
const told = document.getElementById("told");
const note = document.getElementById("note");
const disputes = form ? [...form.querySelectorAll("[data-dispute]")] : [];
const draft = form && new CaseDraft(form);
let at = 0;
let asking = false; // why the rationale is rejected: digits choose, Enter goes on
let touched = false; // something was chosen or pressed here since the page came
let restored = false; // what stands chosen was chosen another time
let calm = Infinity; // until then an ⏎ on a page that nobody touched belongs to the page before

const here = () => disputes[at];
const radios = (dispute) => [...dispute.querySelectorAll('input[type="radio"]')];
const verdict = (dispute) => radios(dispute).find((radio) => radio.checked)?.value ?? "";
const reasonsOf = (dispute) => [...dispute.querySelectorAll('[data-when="reject"] input')];
const isOpen = (dispute) => radios(dispute).length > 0;

function tell(text) {
  note.hidden = !text;
  note.textContent = text;
}

function show() {
  disputes.forEach((dispute, place) => {
    if (place === at) dispute.setAttribute("aria-current", "true");
    else dispute.removeAttribute("aria-current");
    for (const part of dispute.querySelectorAll("[data-when]")) part.hidden = part.dataset.when !== verdict(dispute);
  });
  const open = disputes.filter(isOpen);
  if (told) told.textContent = `${open.filter(verdict).length} of ${open.length} chosen`;
}

function changed() {
  touched = true;
  show();
  draft.keep();
}

function go(place) {
  if (place < 0 || place >= disputes.length) return;
  if (place !== at) asking = false;
  at = place;
  here().focus({ preventScroll: true });
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  here().scrollIntoView({ block: "nearest", behavior: still ? "auto" : "smooth" });
  show();
}

// To the next rationale without a choice, if there is one.
function advance() {
  const order = [...disputes.slice(at + 1), ...disputes.slice(0, at)];
  const next = order.find((dispute) => isOpen(dispute) && !verdict(dispute));
  go(next ? disputes.indexOf(next) : at);
}

function choose(dispute, radio) {
  radio.checked = true;
  dispute.querySelector(".problem").hidden = true;
  changed();
  if (dispute === here()) dispute.scrollIntoView({ block: "nearest" }); // it may have grown
}

const CANNOT = {
  take: "There is no edit of this rationale that you could take.",
  edit: "Your own edit of this rationale waits for another admin.",
};

// The radio of an act in the rationale under the cursor; the act says so where there is none.
function offered(act) {
  const found = radios(here()).filter((radio) => radio.dataset.act === act && !radio.disabled);
  if (!isOpen(here())) tell("You wrote this rationale: another admin of the project decides on it.");
  else if (!found.length) tell(CANNOT[act]);
  return found;
}

const later = (dispute) => choose(dispute, radios(dispute).at(-1));

function refuse(dispute, text) {
  const problem = dispute.querySelector(".problem");
  problem.textContent = text;
  problem.hidden = !text;
  return Boolean(text);
}

const lacks = (dispute) => verdict(dispute) === "reject" && !reasonsOf(dispute).some((box) => box.checked);

function approve() {
  const [radio] = offered("approve");
  if (!radio) return;
  if (radio.checked) return later(here());
  choose(here(), radio);
  advance();
}

function reject() {
  const [radio] = offered("reject");
  if (!radio) return;
  if (radio.checked && asking) return confirmReasons();
  choose(here(), radio);
  asking = true;
}

function confirmReasons() {
  if (refuse(here(), lacks(here()) ? "Say why: choose at least one reason." : "")) return;
  asking = false;
  advance();
}

// What the reviewers said stands ticked; the first number begins the admin's own choice.
function reason(number) {
  const boxes = reasonsOf(here());
  const why = here().querySelector(".why");
  if (verdict(here()) !== "reject" || !boxes[number - 1]) return false;
  if (why.hasAttribute("data-suggested")) {
    for (const box of boxes) box.checked = false;
    own(why);
  }
  boxes[number - 1].checked = !boxes[number - 1].checked;
  refuse(here(), "");
  changed();
  return true;
}

function own(why) {
  why.removeAttribute("data-suggested");
  why.querySelector(".label").textContent = "Why";
}

// The same key again takes the next of several edits.
function take() {
  const edits = offered("take");
  if (!edits.length) return;
  choose(here(), edits[(edits.findIndex((radio) => radio.checked) + 1) % edits.length]);
  if (edits.length === 1) advance();
}

function edit() {
  const [radio] = offered("edit");
  if (!radio) return;
  choose(here(), radio);
  here().querySelector("textarea[name^=text]").focus();
}

function rejectWrong() {
  const wrong = disputes.filter((one) => isOpen(one) && !verdict(one) && one.dataset.grade === "wrong");
  if (!wrong.length) return tell("No rationale without a choice has a wrong answer.");
  for (const dispute of wrong) {
    const boxes = reasonsOf(dispute);
    if (!boxes.some((box) => box.checked)) boxes.find((box) => box.value === "wrong_answer").checked = true;
    choose(dispute, radios(dispute).find((radio) => radio.dataset.act === "reject"));
  }
  if (verdict(here())) advance();
}

// An ⏎ too many must not send what stands in a draft of another time.
function isTooSoon() {
  const now = performance.now();
  const soon = now < calm;
  if (!soon && !restored) return false;
  calm = now + DOUBLE;
  if (!soon) {
    restored = false;
    tell("These choices are from before: ⏎ again sends them.");
  }
  return true;
}

function next() {
  if (!touched && isTooSoon()) return;
  if (asking && verdict(here()) === "reject") return confirmReasons();
  const bare = disputes.find(lacks);
  if (bare) {
    go(disputes.indexOf(bare));
    return refuse(bare, "Say why: choose at least one reason.");
  }
  if (!disputes.some(verdict)) return tell("Choose a verdict for at least one rationale, or leave the question.");
  form.requestSubmit();
}

function leave() {
  if (!form?.dataset.following) return tell("No other question waits for an admin.");
  location.assign(form.dataset.following);
}

function undo() {
  const last = document.getElementById("undo");
  if (last) last.requestSubmit();
  else tell("You have decided nothing that could be taken back.");
}

function dialog(id) {
  const one = document.getElementById(id);
  if (one.open) one.close();
  else one.showModal();
}

function worked() {
  const answer = document.querySelector(".case .worked");
  if (answer) answer.open = !answer.open;
  else tell("This question has no worked answer.");
}

const ALWAYS = {
  skip: leave, undo, reference: worked, guidelines: () => dialog("guidelines"), keys: () => dialog("keys"),
};
const ACTS = {
  ...ALWAYS, approve, reject, take, edit, next,
  reject_wrong: rejectWrong,
  comment: () => here().querySelector("textarea[name^=comment]")?.focus(),
  clear: () => isOpen(here()) && later(here()),
  left: () => go(at - 1), up: () => go(at - 1), right: () => go(at + 1), down: () => go(at + 1),
};
// While decisions are on their way, one may look, and no more.
const LOOKS = new Set(["left", "right", "up", "down", "reference", "guidelines", "keys"]);
const KEEPS_ASKING = new Set(["reject", "next", "guidelines", "keys", "reference"]);

function act(name) {
  const does = disputes.length ? ACTS[name] : ALWAYS[name];
  if (!does) return;
  if (form?.dataset.sent && !LOOKS.has(name)) return tell("Your decisions are on their way: one moment.");
  if (name !== "next") touched = true;
  tell("");
  if (!KEEPS_ASKING.has(name)) asking = false;
  does();
}

// ---- listening

const isText = (target) => target.closest?.("textarea, input:not([type=radio], [type=checkbox]), select, [contenteditable]");

// In a text: Escape goes back to the rationale; Enter keeps a comment, Ctrl and Enter an edit, as at the bench.
function typed(event) {
  const dispute = event.target.closest("[data-dispute]");
  if (!dispute) return;
  const isEdit = event.target.name.startsWith("text-");
  if (isEdit && isCheckKey(event)) checks.get(dispute).run();
  else if (event.key === "Escape") go(disputes.indexOf(dispute));
  else if (event.key === "Enter" && !event.isComposing && (isEdit ? event.ctrlKey || event.metaKey : !event.shiftKey)) {
    go(disputes.indexOf(dispute));
    if (isEdit) advance();
  } else return;
  event.preventDefault();
}

function onKey(event) {
  const open = document.querySelector("dialog[open]");
  const found = read(event);
  if (open) {
    if (found?.act === open.id) (open.close(), event.preventDefault());
    return;
  }
  if (isText(event.target)) return typed(event);
  if (asking && event.key === "Escape") {
    later(here());
    asking = false;
    return;
  }
  // A link or button that has the focus is pressed by Enter; a radio keeps its arrows.
  if (event.key === "Enter" && event.target.closest("a, button, summary")) return;
  if (event.key.startsWith("Arrow") && event.target.matches("input[type=radio]")) return;
  const number = digitOf(event);
  if (number) {
    if (disputes.length && reason(number)) event.preventDefault();
    return;
  }
  if (!found || (event.repeat && !found.repeats)) return;
  event.preventDefault();
  act(found.act);
}

// Keys pressed while the draft is still read from the disk: heard once it is there, up to the first one
// that begins a text, since what follows was meant as letters.
let early = [];

function hold(event) {
  if (isText(event.target)) return; // it is typed
  if (read(event)) event.preventDefault();
  early.push(event);
}

function hearHeld() {
  const held = early;
  early = null;
  for (const event of held) {
    if (isText(document.activeElement)) return;
    onKey(event);
  }
}

const checks = new Map();

async function begin() {
  for (const dispute of disputes.filter(isOpen)) {
    const { check: url, csrf, item } = form.dataset;
    const area = dispute.querySelector("textarea[name^=text]");
    checks.set(dispute, new Check(area, dispute.querySelector(".scored"), { url, csrf, item: Number(item) }));
    dispute.querySelector("[data-check]").addEventListener("click", () => checks.get(dispute).run());
    dispute.querySelector(".why").addEventListener("click", (event) => event.isTrusted && own(event.currentTarget));
  }
  // A page that the server sent back with an error holds what was posted: newer than any draft.
  if (!document.querySelector("[data-error]") && (await draft.restore())) {
    restored = true;
    // What stands ticked is then the admin's own choice.
    for (const dispute of disputes.filter((one) => verdict(one) === "reject")) own(dispute.querySelector(".why"));
  }
  show();
  form.addEventListener("input", changed);
  form.addEventListener("change", changed);
  form.addEventListener("focusin", (event) => {
    const place = disputes.indexOf(event.target.closest("[data-dispute]"));
    if (place >= 0 && place !== at) [at, asking] = [place, false];
    show();
  });
}

document.addEventListener("keydown", (event) => (early ? hold(event) : onKey(event)));
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-do]");
  if (button) act(button.dataset.do);
});
paintKeys(document);
new KeysDialog(document.getElementById("keys"), { url: bar.dataset.keys, csrf: bar.dataset.csrf });
try {
  if (form) await begin();
} finally {
  calm = performance.now() + DOUBLE;
  hearHeld();
  bar.dataset.begun = ""; // from here on keys are heard at once
}
