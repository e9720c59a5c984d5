// What stands around the question: the notice line, words for screen readers, panels, looks that are kept.

const bench = document.getElementById("bench");
const noticeBox = document.getElementById("notice");
const networkBox = document.getElementById("network");
const LOOKS = ["show-calc", "show-wrote"];

export const make = (name, values = {}) => Object.assign(document.createElement(name), values);

export function notice(text, action = "", act = null) {
  noticeBox.hidden = false;
  noticeBox.querySelector("span").textContent = text;
  const button = noticeBox.querySelector("button");
  button.hidden = !action;
  button.textContent = action;
  button.onclick = act;
}

export function hideNotice() {
  noticeBox.hidden = true;
}

// The line about a lost network stays until the network is back, whatever else is said.
export function network(text) {
  networkBox.hidden = !text;
  networkBox.textContent = text;
}

export function say(text) {
  document.getElementById("said").textContent = text;
}

const panels = [];
// A panel asks something inside a rationale; it has isOpen, close() and key(event) -> whether it took it.
export const addPanel = (panel) => panels.push(panel);
export const openPanel = () => panels.find((one) => one.isOpen);
export const closePanels = () => panels.forEach((one) => one.close());

export function toggleLook(name) {
  const on = bench.classList.toggle(name);
  try {
    localStorage.setItem(`chainwright:look:${name}`, on ? "1" : "");
  } catch {
    // Forgotten with the page.
  }
}

export function restoreLooks() {
  try {
    for (const name of LOOKS) if (localStorage.getItem(`chainwright:look:${name}`)) bench.classList.add(name);
  } catch {
    // No storage: as the page came.
  }
}

export function openDialog(id) {
  const dialog = document.getElementById(id);
  if (dialog.open) dialog.close();
  else dialog.showModal();
}
