// What somebody typed into a form is kept where the form is refused: the session had ended, a second
// sign-in had changed the form's token, somebody else was faster. It is in this tab's storage from the
// moment of sending; an answer that is no refusal drops it, and the form's page shows it again after one.
// Passwords, files and hidden fields are not kept. Nothing is kept for another person, or after a sign-out.

const PREFIX = "chainwright:typed:";
const SIGNED_OUT = "chainwright:signed-out";
const LIFE = 60 * 60 * 1000;
const KEPT = "textarea[name], select[name], input[name]:not([type=password], [type=file], [type=hidden], [type=submit])";
const loadedAt = Date.now();
const { user = "", refused } = document.body.dataset;

function stored() {
  try {
    return Object.keys(sessionStorage).filter((key) => key.startsWith(PREFIX)).map((key) => [key, JSON.parse(sessionStorage.getItem(key))]);
  } catch {
    return []; // no storage: nothing is kept
  }
}

function store(key, entry) {
  try {
    sessionStorage.setItem(key, JSON.stringify(entry));
  } catch {
    // Full or forbidden.
  }
}

function drop(key) {
  try {
    sessionStorage.removeItem(key);
  } catch {
    // There was none.
  }
}

const isKept = (form) => form.method === "post" && user && !form.hasAttribute("hx-post") && form.querySelector(KEPT) !== null;

// The same form on the same page, when that comes again.
function nameOf(form) {
  if (form.id) return `#${form.id}`;
  const action = form.getAttribute("action") ?? "";
  const same = [...document.forms].filter((one) => (one.getAttribute("action") ?? "") === action);
  return `${action} ${same.indexOf(form)}`;
}

function valuesOf(form) {
  return [...form.querySelectorAll(KEPT)].map((one) => [one.name, isTicked(one) ? one.value : null, isTicked(one) ? one.checked : one.value]);
}

const isTicked = (field) => field.type === "checkbox" || field.type === "radio";

function keep(form, state) {
  const name = nameOf(form);
  const entry = { user, name, state, path: location.pathname + location.search, at: Date.now(), values: valuesOf(form) };
  store(`${PREFIX}${location.pathname} ${name}`, entry);
}

function restore(form, values) {
  const fields = [...form.querySelectorAll(KEPT)];
  for (const [name, value, said] of values) {
    const place = fields.findIndex((one) => one.name === name && (value === null ? !isTicked(one) : one.value === value));
    if (place < 0) continue;
    const [field] = fields.splice(place, 1);
    if (isTicked(field)) field.checked = said;
    else field.value = said;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

function note(form, key) {
  const box = Object.assign(document.createElement("p"), { className: "banner warn typed-again" });
  box.setAttribute("role", "status");
  const button = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: "Drop it" });
  button.addEventListener("click", () => {
    drop(key);
    form.reset();
    box.remove();
  });
  box.append("What you typed here before was not saved. It is in the form again. ", button);
  form.prepend(box);
}

function begin() {
  for (const [key, entry] of stored()) {
    const isOthers = user && entry.user !== user;
    if (isOthers || !(entry.at > Date.now() - LIFE)) drop(key);
    else if (refused !== undefined) {
      if (entry.state === "sent") store(key, { ...entry, state: "refused" });
      tellOf(entry);
    } else if (entry.state === "sent") drop(key); // it was taken, or its page shows what is wrong with it
    else if (user && new URL(entry.path, location.href).pathname === location.pathname) {
      const form = [...document.forms].find((one) => isKept(one) && nameOf(one) === entry.name);
      if (!form) continue;
      restore(form, entry.values);
      form.closest("details:not([open])")?.setAttribute("open", "");
      note(form, key);
    }
  }
}

// The page of a refusal says that nothing is lost, and leads back.
function tellOf(entry) {
  const place = document.querySelector("[data-typed-kept]");
  if (!place || !place.hidden) return;
  place.hidden = false;
  const link = place.querySelector("a");
  if (link) link.href = entry.path;
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.matches("[data-sign-out]")) return forgetAll();
  if (!event.defaultPrevented && isKept(form)) keep(form, "sent");
});

function forgetAll() {
  for (const [key] of stored()) drop(key);
  try {
    localStorage.setItem(SIGNED_OUT, String(Date.now()));
  } catch {
    // Then the server's "no-store" alone keeps pages from being shown again.
  }
}

const isDirty = (field) => (isTicked(field) ? field.checked !== field.defaultChecked : "defaultValue" in field && field.value !== field.defaultValue);

// A browser may bring a page back as it was left. It may be somebody else who looks by now: the page is
// asked for again, and shows what this person may see.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  let signedOut = 0;
  try {
    signedOut = Number(localStorage.getItem(SIGNED_OUT) ?? 0);
  } catch {
    // Unknown: as after a sign-out.
    signedOut = Infinity;
  }
  if (signedOut <= loadedAt) {
    for (const form of document.forms) {
      if (isKept(form) && [...form.querySelectorAll(KEPT)].some(isDirty)) keep(form, "refused");
    }
  }
  document.body.replaceChildren();
  location.reload();
});

begin();
