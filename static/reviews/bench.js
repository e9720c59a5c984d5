// The review bench: one question, its chains, decisions held here until Enter sends them together.

import { blank, foldThoughts, openEditor, paint, showClocks } from "./chains.js";
import { Claim } from "./claim.js";
import { Drafts } from "./drafts.js";
import { fillDialog, isTyping, read } from "./keys.js";
import { hideNotice, notice, openDialog, restoreLooks, say, toggleLook } from "./page.js";
import { Reasons } from "./reasons.js";
import { Problem, ask } from "./server.js";

const root = document.getElementById("bench");
const box = document.getElementById("item");
const nextButton = document.getElementById("next");
const { csrf } = root.dataset;
const drafts = new Drafts(root.dataset.user, root.dataset.project);
const claim = new Claim(root.dataset);
const reasons = new Reasons(document.getElementById("reasons"));

let state = { item: null };
let draft = { decisions: {}, seconds: 0, chain: null };
let chains = [];
let current = null;
let step = 0;
let busy = false;
let warned = "";
let lost = false; // somebody else has this question now
let pollTimer;

// ---- one question comes in

function begin(next) {
  clearTimeout(pollTimer);
  state = next;
  [warned, lost, step, current] = ["", false, 0, null];
  hideNotice();
  showClocks(box);
  chains = [...box.querySelectorAll(".chain")];
  root.classList.toggle("no-item", state.item === null);
  for (const button of root.querySelectorAll(".needs-item, .needs-item button")) {
    if (button instanceof HTMLButtonElement) button.disabled = state.item === null;
  }
  claim.fresh();
  if (state.poll) pollTimer = setTimeout(poll, state.poll * 1000);
  if (state.item === null) {
    nextButton.classList.remove("primary");
    return;
  }
  draft = drafts.get(state.item);
  // An undo brings back what was sent; what was typed here since then is newer.
  if (!Object.values(draft.decisions).some((one) => one.verdict || one.edited)) {
    draft.decisions = { ...draft.decisions, ...state.prefill };
  }
  for (const chain of chains) {
    chain.dataset.text = state.texts[idOf(chain)] ?? "";
    foldThoughts(chain);
    if (isOpen(chain)) paint(chain, decisionOf(chain), reasons.words);
  }
  const last = chains.find((chain) => idOf(chain) === draft.chain);
  move(last ?? chains.find(isOpen) ?? chains[0]);
  ready();
}

function show(answer) {
  reasons.close();
  const made = document.createElement("template");
  made.innerHTML = answer.html;
  box.replaceChildren(made.content);
  window.scrollTo(0, 0);
  begin(answer.state);
  if (location.pathname !== root.dataset.home) history.replaceState(null, "", root.dataset.home);
  say(state.item === null ? box.textContent.trim().slice(0, 200) : `Next question, ${chains.length} chains.`);
}

const idOf = (chain) => chain.dataset.rationale;
const isOpen = (chain) => !chain.classList.contains("locked");

function decisionOf(chain) {
  draft.decisions[idOf(chain)] ??= blank();
  return draft.decisions[idOf(chain)];
}

function changed(chain) {
  paint(chain, decisionOf(chain), reasons.words);
  keep();
  ready();
}

function keep() {
  if (state.item === null) return;
  draft.chain = current ? idOf(current) : null;
  drafts.put(state.item, draft);
}

function ready() {
  const open = chains.filter(isOpen);
  const decided = open.filter((chain) => decisionOf(chain).verdict).length;
  const all = decided > 0 && decided === open.length;
  nextButton.classList.toggle("primary", all);
  root.querySelector('.do [data-do="approve"]').classList.toggle("primary", !all);
  nextButton.querySelector("span").textContent = open.length && decided ? `Next ${decided}/${open.length}` : "Next";
}

// ---- moving

function move(chain) {
  if (!chain) return;
  if (current !== chain) {
    reasons.close();
    step = 0;
  }
  current?.removeAttribute("aria-current");
  current = chain;
  chain.setAttribute("aria-current", "true");
  for (const one of box.querySelectorAll(".step.at")) one.classList.remove("at");
  bringAside(chain);
  if (!isTyping(document.activeElement)) chain.focus({ preventScroll: true });
}

// Sideways only: on a narrow page the question above the chains stays where it is.
function bringAside(chain) {
  const row = chain.parentElement;
  const [inner, outer] = [chain.getBoundingClientRect(), row.getBoundingClientRect()];
  if (inner.left < outer.left) row.scrollLeft += inner.left - outer.left - 1;
  else if (inner.right > outer.right) row.scrollLeft += inner.right - outer.right + 1;
}

function beside(way) {
  const place = chains.indexOf(current) + way;
  if (chains[place]) move(chains[place]);
  keep();
}

function advance() {
  const place = chains.indexOf(current);
  const order = [...chains.slice(place + 1), ...chains.slice(0, place)];
  const open = order.find((chain) => isOpen(chain) && !decisionOf(chain).verdict);
  if (open) move(open);
  keep();
}

function moveStep(way) {
  const steps = [...current.querySelectorAll("[data-step]")].filter((one) => one.offsetParent);
  if (!steps.length) return;
  let place = steps.findIndex((one) => Number(one.dataset.step) === step) + way;
  if (step === 0) place = way > 0 ? 0 : steps.length - 1;
  setStep(steps[Math.max(0, Math.min(steps.length - 1, place))]);
}

function setStep(row) {
  for (const one of box.querySelectorAll(".step.at")) one.classList.remove("at");
  step = Number(row.dataset.step);
  row.classList.add("at");
  row.scrollIntoView({ block: "nearest" });
}

// ---- deciding

function label(number, value) {
  const row = current?.querySelector(`[data-step="${number}"]`);
  if (!row || !isOpen(current)) return;
  const { labels } = decisionOf(current);
  if (labels[number] === value) delete labels[number];
  else labels[number] = value;
  changed(current);
  say(row.querySelector(".mark").getAttribute("aria-label"));
}

function cycle(number) {
  const now = decisionOf(current).labels[number];
  const next = { undefined: 1, 1: 0, 0: -1 }[now];
  label(number, next ?? now);
}

function decide(chain, values) {
  Object.assign(decisionOf(chain), values);
  changed(chain);
}

function approve() {
  const on = decisionOf(current).verdict !== "approve";
  decide(current, { verdict: on ? "approve" : "", reasons: [] });
  say(`${current.dataset.letter} ${on ? "approved" : "open again"}.`);
  if (on) advance();
}

function reject() {
  if (reasons.isOpen) return reasons.confirm();
  const chain = current;
  const decision = decisionOf(chain);
  const before = decision.verdict === "reject" ? decision.reasons : chain.dataset.suggest.split(" ").filter(Boolean);
  reasons.open(chain, { reasons: before, comment: decision.comment }, {
    typed: (comment) => {
      decision.comment = comment;
      keep();
    },
    done: (chosen, comment) => {
      decide(chain, { verdict: "reject", reasons: chosen, comment });
      say(`${chain.dataset.letter} rejected.`);
      advance();
    },
    closed: () => chain.focus({ preventScroll: true }),
  });
}

function edit() {
  const chain = current;
  if (chain.querySelector(".editor")) return chain.querySelector("textarea").focus();
  const text = chain.dataset.text;
  if (!text) return notice("This chain is too long to edit here.");
  reasons.close();
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
    close: () => {
      if (!decision.edited && decision.verdict === "edit") decision.verdict = "";
      changed(chain);
      chain.focus({ preventScroll: true });
      if (decision.verdict === "edit") {
        say(`${chain.dataset.letter} edited and approved.`);
        advance();
      }
    },
  });
  paint(chain, decision, reasons.words);
}

function clear() {
  decide(current, { verdict: "", reasons: [] });
  say(`${current.dataset.letter} open again.`);
}

function rejectWrong() {
  const wrong = chains.filter((one) => isOpen(one) && !decisionOf(one).verdict && one.dataset.grade === "wrong");
  if (!wrong.length) return notice("No open chain has a wrong answer.");
  for (const chain of wrong) decide(chain, { verdict: "reject", reasons: chain.dataset.suggest.split(" ") });
  say(`${wrong.length} rejected: wrong answer.`);
  if (decisionOf(current).verdict) advance();
}

function badQuestion() {
  const open = chains.filter(isOpen);
  const all = open.every((one) => decisionOf(one).reasons.includes("bad_question"));
  for (const chain of open) decide(chain, all ? { verdict: "", reasons: [] } : { verdict: "reject", reasons: ["bad_question"] });
  say(all ? "All open again." : "All rejected: bad question.");
}

// ---- sending

function unfinished() {
  const left = chains.filter((chain) => isOpen(chain) && !decisionOf(chain).verdict);
  const labelled = left.filter((chain) => Object.keys(decisionOf(chain).labels).length || decisionOf(chain).edited);
  if (labelled.length) {
    const letters = labelled.map((one) => one.dataset.letter).join(", ");
    return `${letters} has step labels or an edit and no decision, so they would not be sent. Decide, or press ⏎ again to go on without.`;
  }
  return "";
}

async function next() {
  if (busy || state.item === null) return;
  if (reasons.isOpen) return reasons.confirm();
  const says = chains.filter((chain) => isOpen(chain) && decisionOf(chain).verdict).map(sayOf);
  if (!says.length) return notice("Decide on at least one chain (a, x or e), or skip the question (s).");
  const doubt = unfinished();
  if (doubt && doubt !== warned) {
    warned = doubt;
    return notice(doubt);
  }
  const { item } = state;
  await talk(root.dataset.submit, { item, seconds: Math.round(draft.seconds), says }, () => drafts.drop(item));
}

function sayOf(chain) {
  const { verdict, reasons: why, comment, labels, edited } = decisionOf(chain);
  const said = { rationale: Number(idOf(chain)), verdict, step_labels: labels };
  if (verdict === "reject") Object.assign(said, { reasons: why, comment });
  if (verdict === "edit") said.edited_text = edited;
  return said;
}

// One request at a time: a double press or a double click finds `busy` set and goes home.
async function talk(url, body, before = () => {}) {
  if (busy) return;
  busy = true;
  root.classList.add("busy");
  try {
    const answer = await ask(url, { body, csrf, waiting: (text) => (text ? notice(text) : hideNotice()) });
    before();
    show(answer);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    if (problem.status === 409 && url !== root.dataset.undo) lose(problem.message);
    else notice(problem.message);
  } finally {
    busy = false;
    root.classList.remove("busy");
  }
}

function lose(message) {
  lost = true;
  notice(`${message} What you decided and typed stays on this page.`, "Next question", fetchNext);
}

const fetchNext = () => talk(root.dataset.next);

async function poll() {
  if (state.item !== null || busy) return;
  if (document.visibilityState === "visible") await fetchNext();
  else pollTimer = setTimeout(poll, 5000);
}

// ---- acting

const acts = {
  approve, reject, edit, clear, rejectWrong, badQuestion, next,
  skip: () => talk(root.dataset.skip, { item: state.item }),
  undo: () => talk(root.dataset.undo, { shown: state.item }),
  left: () => beside(-1),
  right: () => beside(1),
  up: () => moveStep(-1),
  down: () => moveStep(1),
  label: ({ number, value }) => label(number, value),
  good: () => step && label(step, 1),
  neutral: () => step && label(step, 0),
  bad: () => step && label(step, -1),
  cycle: () => step && cycle(step),
  worked: () => {
    const worked = box.querySelector(".worked");
    if (worked) worked.open = !worked.open;
  },
  marks: () => toggleLook("show-calc"),
  wrote: () => toggleLook("show-wrote"),
  guidelines: () => openDialog("guidelines"),
  keys: () => openDialog("keys"),
};
const ALWAYS = new Set(["undo", "guidelines", "keys"]);
const ON_CHAIN = new Set(["approve", "reject", "edit", "clear"]);

function act(name, detail = {}) {
  if (state.item === null && !ALWAYS.has(name)) return;
  if (ON_CHAIN.has(name) && !isOpen(current)) {
    notice(`${current.dataset.letter} is decided already; it is shown for comparison.`);
    return;
  }
  if (name !== "next" && !lost && !busy) hideNotice();
  if (name !== "reject" && name !== "next") reasons.close();
  acts[name](detail);
}

// ---- listening

document.addEventListener("keydown", (event) => {
  if (document.querySelector("dialog[open]")) {
    if (event.key === "?" || event.key === "g") {
      document.querySelector("dialog[open]").close();
      event.preventDefault();
    }
    return;
  }
  if (reasons.isOpen && !event.target.closest?.(".editor") && reasons.key(event)) return;
  if (isTyping(event.target)) return;
  const found = read(event);
  if (!found || (event.repeat && !found.repeats)) return;
  const onButton = event.target instanceof Element && event.target.closest("button, a, summary");
  if (onButton && (event.key === "Enter" || event.key === " ")) return;
  if (event.key === " " && !step) return;
  event.preventDefault();
  act(found.act, found);
});

root.addEventListener("click", (event) => {
  const target = event.target;
  const chain = target.closest(".chain");
  if (chain && chain !== current && !chain.querySelector(".editor")) move(chain);
  const button = target.closest("button");
  // A click of the mouse leaves no focus behind: Enter goes on to mean "next".
  if (button && event.detail > 0 && !button.closest(".editor, .reasons")) current?.focus({ preventScroll: true });
  const row = target.closest("[data-step]");
  if (row && chain) setStep(row);
  if (target.closest(".mark") && isOpen(chain)) cycle(Number(row.dataset.step));
  else if (button?.dataset.chainDo) act(button.dataset.chainDo);
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-do]");
  if (button) act(button.dataset.do);
});

claim.start({
  item: () => (lost || busy ? null : state.item),
  renewed: (until) => {
    const shown = document.getElementById("until");
    if (shown) shown.dateTime = until;
    showClocks(box);
  },
  lost: (message) => !busy && lose(message),
  second: () => state.item !== null && (draft.seconds += 1),
  leaves: keep,
});
restoreLooks();
fillDialog(document.querySelector("#keys .keys"));
begin(JSON.parse(document.getElementById("bench-state").textContent));
