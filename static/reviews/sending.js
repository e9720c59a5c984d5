// Decisions go out, questions come in. The next question is fetched while this one is read: Enter
// shows it at once, and the decisions travel behind it, one question at a time and in order. What the
// server refuses comes back to the table with everything typed.

import { DOUBLE, isTyping, keyOf } from "./keys.js";
import { showMeanwhile } from "./meanwhile.js";
import { ranged } from "./long/ranges.js";
import { moveToStart } from "./moving.js";
import { closePanels, network, notice, openPanel, say } from "./page.js";
import { Problem, ask } from "./server.js";
import { begin, box, csrf, decisionOf, drafts, idOf, isOpen, keep, letterOf, root, table } from "./table.js";

const TYPING = 800; // so long after a letter somebody may still be typing

const inHand = []; // questions that are claimed and fetched: {html, state}
const outbox = []; // what was decided and the server has not taken yet: {url, body, from}
let here = null; // the question on the table, as it came: {html, state}
let busy = false;
let draining = null;
let warned = "";
let pollTimer;
let shownAt = 0; // when the last press of "next" brought a question
let typesUntil = 0;
let lostAt = 0;
let touched = true; // something was pressed since then
let progress = "";

export const isBusy = () => busy;
const held = () => inHand.map((one) => one.state.item);
export const touch = () => (touched = true);

// ---- showing

export function start(state) {
  here = { html: box.innerHTML, state };
  arrive();
}

function show(answer) {
  closePanels();
  // A dialog about the question before says nothing of the one that comes; what was typed is kept.
  for (const dialog of document.querySelectorAll("dialog.asks[open]")) dialog.close();
  here = answer;
  // It may be in hand as well: asked for ahead, and brought by the answer to the decisions.
  const twice = inHand.findIndex((one) => one.state.item === answer.state.item);
  if (twice >= 0) inHand.splice(twice, 1);
  const made = answer.made ?? parse(answer.html);
  delete answer.made;
  box.replaceChildren(made.content);
  window.scrollTo(0, 0);
  arrive();
  if (location.pathname !== root.dataset.home) history.replaceState(null, "", root.dataset.home);
  const { item } = table.state;
  say(item === null ? box.textContent.trim().slice(0, 200) : `Next question, ${table.rationales.length} rationales.`);
}

function parse(html) {
  const made = document.createElement("template");
  made.innerHTML = html;
  return made;
}

function arrive() {
  clearTimeout(pollTimer);
  warned = "";
  begin(here.state);
  moveToStart();
  showProgress();
  mirror();
  if (here.state.poll) pollTimer = setTimeout(poll, here.state.poll * 1000);
  // After this question is painted: fetching the next one may not delay it.
  setTimeout(fetchAhead, 0);
}

function showProgress() {
  const shown = box.querySelector(".progress");
  if (progress && shown) shown.textContent = progress;
}

async function poll() {
  if (table.state.item !== null || busy) return;
  if (document.visibilityState === "visible") await fetchNext();
  else pollTimer = setTimeout(poll, 5000);
}

// ---- ahead

async function fetchAhead() {
  const { item } = table.state;
  if (item === null || table.lost || inHand.length || outbox.length) return;
  try {
    const answer = await ask(root.dataset.ahead, { body: { item }, csrf, retry: false });
    // One that comes late is of a question that was left since: what it brings may be decided.
    if (table.state.item === item && !table.lost && !busy) take(answer);
  } catch (problem) {
    // Without one in hand, Enter waits for the server, as on the first question.
    if (!(problem instanceof Problem)) throw problem;
  }
}

function take(answer) {
  progress = answer.progress ?? progress;
  showProgress();
  const { ahead } = answer;
  if (!ahead || ahead.state.item === table.state.item || held().includes(ahead.state.item)) return;
  inHand.push({ ...ahead, made: parse(ahead.html) });
  mirror();
}

// A renewal is of all that is held: the question on the table and the one in hand.
export function renewed(until) {
  for (const one of inHand) one.state.until = until;
}

// ---- sending

// Shows the next question and sends this one's decisions, in that order when the next is in hand.
async function leave(url, body) {
  if (busy) return;
  if (!inHand.length && outbox.length) {
    setBusy(true);
    try {
      await draining;
    } finally {
      setBusy(false);
    }
    if (table.state.item !== body.item) return; // the one before was refused, and is back
  }
  const from = here;
  keep();
  if (!inHand.length) return talk(url, body, () => drafts.drop(from.state.item));
  outbox.push({ url, body, from });
  show(inHand.shift());
  [touched, shownAt] = [false, performance.now()];
  draining ??= drain();
  mirror();
}

// What stands behind the page, for the eyes of tests and of those who look into it.
function mirror() {
  const { dataset } = root;
  if (outbox.length) dataset.sending = outbox.length;
  else delete dataset.sending;
  if (inHand.length && table.state.item !== null) dataset.aheadOf = table.state.item;
  else delete dataset.aheadOf;
}

async function drain() {
  try {
    while (outbox.length) await sendFirst();
  } finally {
    draining = null;
    mirror();
  }
  fetchAhead();
}

async function sendFirst() {
  const { url, body, from } = outbox[0];
  try {
    // `shown`: the answer is the question after that one.
    const answer = await ask(url, { body: { ...body, shown: table.state.item }, csrf, waiting: network });
    drafts.drop(from.state.item);
    outbox.shift();
    take(answer);
  } catch (problem) {
    outbox.shift();
    if (!(problem instanceof Problem)) throw problem;
    bringBack(from, problem);
  }
}

// A question that comes back while somebody types on another: what they go on typing was meant as
// letters there, so no key is heard before they pause.
export function typesOn() {
  const now = performance.now();
  if (now > typesUntil) return false;
  typesUntil = now + TYPING;
  return true;
}

function bringBack(from, problem) {
  if (isTyping(document.activeElement)) typesUntil = performance.now() + TYPING;
  if (table.state.item !== null) inHand.unshift(here);
  show(from);
  const where = "The question before was not taken, and is back: ";
  if (problem.status === 409) lose(where + problem.message, problem.more.meanwhile);
  else notice(where + problem.message);
  if (problem.status >= 500) unsure();
}

// One request at a time whose answer is the next page of the table: a double press finds `busy` set.
async function talk(url, body, before = () => {}) {
  if (busy) return;
  setBusy(true);
  try {
    const answer = await ask(url, { body, csrf, waiting: network });
    before();
    progress = answer.progress ?? progress;
    show(answer);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    if (problem.status === 409 && url !== root.dataset.undo) lose(problem.message, problem.more.meanwhile);
    else notice(problem.message);
    if (problem.status >= 500) unsure();
  } finally {
    setBusy(false);
  }
}

// What is on its way cannot be changed any more: it would be neither sent nor kept.
function setBusy(on) {
  busy = box.inert = on;
  root.classList.toggle("busy", on);
  if (!on) table.current?.focus({ preventScroll: true });
}

// The server may have taken it and broken afterwards: sent once more, that counts as done.
function unsure() {
  table.draft.unsure = true;
  keep();
}

export function lose(message, meanwhile) {
  table.lost = true;
  lostAt = performance.now();
  showMeanwhile(meanwhile);
  notice(`${message} What you decided and typed stays on this page.`, `Next question ${keyOf("next")}`, fetchNext);
}

function fetchNext() {
  if (inHand.length) return show(inHand.shift());
  return talk(root.dataset.next);
}

// ---- what the keys ask for

export async function next() {
  if (busy || table.state.item === null) return;
  // What was lost is not taken any more; a press that was meant to send it brings nothing else.
  if (table.lost) return performance.now() - lostAt < DOUBLE ? undefined : fetchNext();
  const panel = openPanel();
  if (panel) return panel.confirm();
  if (!touched && performance.now() - shownAt < DOUBLE) return;
  const says = table.rationales.filter((rationale) => isOpen(rationale) && decisionOf(rationale).verdict).map(sayOf);
  const { own } = table.draft;
  if (own.used) says.push({ rationale: null, verdict: "approve", edited_text: own.text });
  if (!says.length) return notice("Decide on at least one rationale, write your own, or skip the question.");
  const doubt = unfinished();
  if (doubt && doubt !== warned) {
    warned = doubt;
    return notice(doubt);
  }
  const body = { item: table.state.item, seconds: Math.round(table.draft.seconds), says };
  if (table.draft.unsure) body.again = true;
  await leave(root.dataset.submit, body);
}

function unfinished() {
  const { own, best } = table.draft;
  const left = table.rationales.filter((rationale) => isOpen(rationale) && !decisionOf(rationale).verdict);
  const said = left.filter((rationale) => {
    const { labels, edited, comment, typed } = decisionOf(rationale);
    return Object.keys(labels).length || edited || comment || typed || best === idOf(rationale);
  });
  const letters = said.map(letterOf).join(", ");
  const again = "Decide, or press ⏎ again to go on without.";
  if (letters) return `${letters}: a label, comment, edit or mark without a decision is not sent. ${again}`;
  if (own.text && !own.used) return `Your own rationale is a draft and is not sent. ${again}`;
  return "";
}

function sayOf(rationale) {
  const { verdict, reasons: why, comment, labels, edited } = decisionOf(rationale);
  const said = { rationale: Number(idOf(rationale)), verdict, step_labels: ranged(labels), comment };
  if (verdict === "reject") said.reasons = why;
  if (verdict === "edit") said.edited_text = edited;
  if (table.draft.best === idOf(rationale)) said.is_best = true;
  return said;
}

export function skip(reason) {
  if (busy) return notice("The last decisions are still on their way: skip again in a moment.");
  return leave(root.dataset.skip, { item: table.state.item, reason });
}

// What was sent last comes back. The server then takes the others back; their drafts stay here.
export async function undo() {
  if (busy) return;
  const { item } = table.state;
  await draining;
  if (table.state.item !== item) return; // the one before was refused: there is nothing to take back
  keep();
  await talk(root.dataset.undo, { shown: item }, () => (inHand.length = 0));
}

export const post = (url, body) => ask(url, { body, csrf, retry: false });
