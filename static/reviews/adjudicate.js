// Deciding where reviews disagree, by keys; what is chosen and typed survives a closed tab.

const form = document.getElementById("case");
const disputes = form ? [...form.querySelectorAll("[data-dispute]")] : [];
const told = document.getElementById("told");
const KEPT_DAYS = 14;
const PREFIX = "adjudicate:";
let at = 0;

const radios = (dispute) => [...dispute.querySelectorAll('input[type="radio"]')];
const chosen = (dispute) => radios(dispute).find((radio) => radio.checked)?.value ?? "";

function show() {
  disputes.forEach((dispute, place) => {
    if (place === at) dispute.setAttribute("aria-current", "true");
    else dispute.removeAttribute("aria-current");
    const verdict = chosen(dispute);
    for (const part of dispute.querySelectorAll("[data-when]")) part.hidden = part.dataset.when !== verdict;
  });
  const open = disputes.filter((dispute) => radios(dispute).length);
  told.textContent = `${open.filter((dispute) => chosen(dispute)).length} of ${open.length} chosen`;
}

function go(place) {
  if (place < 0 || place >= disputes.length) return;
  at = place;
  disputes[at].focus({ preventScroll: true });
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  disputes[at].scrollIntoView({ block: "nearest", behavior: still ? "auto" : "smooth" });
  show();
}

// The same key again takes the next of several edits; a key pressed on the only one keeps it.
function choose(key) {
  const of = radios(disputes[at]).filter((radio) => radio.dataset.keyOf === key && !radio.disabled);
  if (!of.length) return;
  const next = of[(of.findIndex((radio) => radio.checked) + 1) % of.length];
  next.checked = true;
  changed();
  if (key === "e") disputes[at].querySelector("textarea[name^=text]").focus();
}

function reason(number) {
  if (chosen(disputes[at]) !== "reject") return false;
  const box = disputes[at].querySelectorAll('[data-when="reject"] input')[number - 1];
  if (!box) return false;
  box.checked = !box.checked;
  changed();
  return true;
}

const ACTIONS = {
  ArrowDown: () => go(at + 1),
  ArrowUp: () => go(at - 1),
  j: () => go(at + 1),
  k: () => go(at - 1),
  a: () => choose("a"),
  x: () => choose("x"),
  t: () => choose("t"),
  e: () => choose("e"),
  c: () => disputes[at].querySelector("textarea[name^=comment]")?.focus(),
  Enter: () => form.requestSubmit(),
};

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.closest("textarea, input:not([type=radio], [type=checkbox]), select, [contenteditable]");
  if (typing) {
    if (event.key === "Escape") disputes[at].focus();
    return;
  }
  // A link or button that has the focus is pressed by Enter; a radio keeps its arrows.
  if (event.key === "Enter" && event.target.closest("a, button, summary")) return;
  if (event.key.startsWith("Arrow") && event.target.matches("input[type=radio]")) return;
  if (/^[1-9]$/.test(event.key)) {
    if (reason(Number(event.key))) event.preventDefault();
    return;
  }
  const act = ACTIONS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

// Drafts: one a question and person, in this browser.
const key = form ? `${PREFIX}${form.dataset.user}:${form.dataset.project}:${form.dataset.question}` : "";

function changed() {
  show();
  const fields = {};
  for (const dispute of disputes) {
    for (const input of dispute.querySelectorAll("input, textarea")) {
      if (input.type === "radio") {
        if (input.checked) fields[input.name] = input.value;
      } else if (input.type === "checkbox") (fields[input.name] ??= []).push(...(input.checked ? [input.value] : []));
      else fields[input.name] = input.value;
    }
  }
  try { localStorage.setItem(key, JSON.stringify({ at: Date.now(), fields })); } catch { /* storage is off or full */ }
}

function restore() {
  let kept = null;
  try {
    for (const name of Object.keys(localStorage)) {
      if (!name.startsWith(PREFIX)) continue;
      const draft = JSON.parse(localStorage.getItem(name));
      if (Date.now() - draft.at > KEPT_DAYS * 86_400_000) localStorage.removeItem(name);
      else if (name === key) kept = draft.fields;
    }
  } catch { return; }
  for (const [name, value] of Object.entries(kept ?? {})) {
    for (const input of form.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
      if (input.type === "radio") input.checked = input.value === value && !input.disabled;
      else if (input.type === "checkbox") input.checked = value.includes(input.value);
      else input.value = value;
    }
    // A verdict that is not offered any more, such as an edit that was taken back.
    const group = [...form.querySelectorAll(`input[type="radio"][name="${CSS.escape(name)}"]`)];
    if (group.length && !group.some((radio) => radio.checked)) group.at(-1).checked = true;
  }
}

if (form) {
  // A page that the server sent back with an error holds what was posted: newer than any draft.
  if (!document.querySelector("[data-error]")) restore();
  show();
  form.addEventListener("input", changed);
  form.addEventListener("change", changed);
  form.addEventListener("focusin", (event) => {
    const place = disputes.indexOf(event.target.closest("[data-dispute]"));
    if (place >= 0 && place !== at) { at = place; show(); }
  });
  document.addEventListener("keydown", onKey);
}
