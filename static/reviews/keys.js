// The keys of the bench, and of where an admin decides between reviews. The table comes with the page, with
// what this person has put on other keys; a page keeps the rows that mean something on it.

export const DOUBLE = 350; // milliseconds: a second press so soon is of a double press

const isThere = document.querySelector("[data-keys-there]") !== null;
const here = (table) => table.map((row) => (isThere ? { ...row, what: row.there } : row)).filter((row) => row.what);

let rows = here(JSON.parse(document.getElementById("bench-keys").textContent));
let byKey = index(rows);

function index(table) {
  return new Map(table.filter((one) => !one.fixed).flatMap((one) => one.keys.map((key) => [key, one])));
}

export const keyTable = () => rows;

export function setKeys(table) {
  rows = here(table);
  byKey = index(rows);
  paintKeys(document);
}

export function isTyping(target) {
  return target instanceof Element && target.closest("input, textarea, select, [contenteditable]") !== null;
}

const isPlain = (event) => !(event.ctrlKey || event.metaKey || event.altKey || event.isComposing);

// {act, repeats} or {act: "label", number, value} of a key press; null when it means nothing here.
export function read(event) {
  if (!isPlain(event)) return null;
  const number = digitOf(event);
  if (number) return { act: "label", number, value: event.shiftKey ? -1 : 1 };
  const found = byKey.get(nameOf(event));
  return found ? { act: found.name, repeats: found.repeats } : null;
}

// Whether a press is this action's, such as a second one inside the panel that the first one opened.
export const isKeyOf = (event, act) => isPlain(event) && byKey.get(nameOf(event))?.name === act;

// By place on the keyboard: with Shift, and on some layouts without, the row of digits gives signs.
export function digitOf(event) {
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code);
  if (!digit || !isPlain(event) || (event.code.startsWith("Numpad") && event.key.length > 1)) return 0;
  return Number(digit[1]);
}

// How the table writes a press: "a", "Shift+a", "?", "Enter", "Space".
export function nameOf(event) {
  if (event.key === " ") return event.shiftKey ? "Shift+Space" : "Space";
  let key = event.key;
  // A keyboard whose letters are not Latin: the key's place says which one is meant.
  if (key.length === 1 && key.charCodeAt(0) > 127 && /^Key[A-Z]$/.test(event.code)) key = event.code[3];
  if (/^[a-z]$/i.test(key)) return (event.shiftKey ? "Shift+" : "") + key.toLowerCase();
  return key;
}

const SIGNS = {
  ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Enter: "⏎", Backspace: "⌫", Delete: "Del",
  Insert: "Ins", Space: "␣", "Shift+Space": "⇧ ␣", PageUp: "PgUp", PageDown: "PgDn", "Shift+1…9": "⇧ 1…9",
};

export const sign = (key) => SIGNS[key] ?? key.replace(/^Shift\+([a-z])$/, (_, letter) => letter.toUpperCase());

// Every <kbd data-key-of="approve"> shows the first key of its action; one without a key is not shown.
export function paintKeys(part) {
  for (const kbd of part.querySelectorAll("kbd[data-key-of]")) {
    const keys = rows.find((one) => one.name === kbd.dataset.keyOf)?.keys ?? [];
    kbd.hidden = keys.length === 0;
    if (keys.length) kbd.textContent = sign(keys[0]);
  }
}

// The sign of an action's key, to be named in a sentence.
export const keyOf = (act) => sign(rows.find((one) => one.name === act)?.keys[0] ?? "–");
