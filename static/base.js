// On every page: the theme switch, toasts for what failed, guards against double submits, keys that
// a page prints on its links, folded menus.

import "./ime.js";
import "./invisible.js";
import "./raw.js";
import "./times.js";
import "./typed.js";

const THEMES = ["auto", "light", "dark"];
const NAMES = { auto: "as the system", light: "light", dark: "dark" };

function showTheme() {
  const theme = document.documentElement.dataset.theme ?? "auto";
  for (const name of document.querySelectorAll("[data-theme-name]")) name.textContent = NAMES[theme];
  for (const button of document.querySelectorAll("[data-theme-switch]")) {
    button.title = `Colours: ${NAMES[theme]}. Press to change.`;
  }
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-theme-switch]")) {
    const now = document.documentElement.dataset.theme ?? "auto";
    const next = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length];
    if (next === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    try { localStorage.setItem("theme", next); } catch { /* storage is off: for this page only */ }
    showTheme();
    document.dispatchEvent(new CustomEvent("theme"));
  }
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => document.dispatchEvent(new CustomEvent("theme")));

export function toast(text) {
  const box = document.getElementById("toasts");
  const note = document.createElement("p");
  note.className = "toast";
  note.textContent = text;
  box.append(note);
  setTimeout(() => note.remove(), 8000);
}

function failure(event) {
  const answer = event.detail.xhr?.responseText ?? "";
  const page = new DOMParser().parseFromString(answer, "text/html");
  return page.querySelector("[data-error]")?.textContent.trim() ?? "That did not work. Load the page and try again.";
}
// A poll that fails once is no news; what a person asked for is.
document.addEventListener("htmx:responseError", (event) => {
  if (!event.detail.requestConfig?.triggeringEvent?.type?.startsWith("every")) toast(failure(event));
});
document.addEventListener("htmx:sendError", (event) => {
  if (event.detail.requestConfig?.verb !== "get") toast("There is no connection now. Try again in a moment.");
});

// One submit a form: the second press of a double click does nothing.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || form.hasAttribute("hx-post") || event.defaultPrevented) return;
  if (form.dataset.confirm && !confirm(form.dataset.confirm)) return event.preventDefault();
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "1";
  for (const button of form.querySelectorAll("button:not([type=button])")) button.setAttribute("aria-busy", "true");
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
  }
});

// A link or button that prints a key (data-key="r") is pressed by it; silent while somebody types.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, [contenteditable]")) return;
  const target = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (target && !document.querySelector("dialog[open]")) {
    event.preventDefault();
    target.click();
  }
});

showTheme();
// On a narrow screen rows of pages scroll: the page that is open stands in view.
for (const open of document.querySelectorAll(".top nav [aria-current], .tabs [aria-current]")) {
  open.scrollIntoView({ block: "nearest", inline: "center" });
}
