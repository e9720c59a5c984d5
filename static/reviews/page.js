// What stands around the question: the notice line, words for screen readers, looks that are kept.

const bench = document.getElementById("bench");
const noticeBox = document.getElementById("notice");
const LOOKS = ["show-calc", "show-wrote"];

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

export function say(text) {
  document.getElementById("said").textContent = text;
}

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
