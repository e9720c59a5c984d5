// The bench's keys: one table, from which the dialog is filled and the presses are read.
// Later remapping changes `keys` here and nothing else.

export const KEYS = [
  { group: "Decide", keys: ["a"], act: "approve", what: "Approve; again takes it back" },
  { group: "Decide", keys: ["x"], act: "reject", what: "Reject: choose why" },
  { group: "Decide", keys: ["e"], act: "edit", what: "Edit and approve" },
  { group: "Decide", keys: ["Shift+x"], act: "rejectWrong", what: "Reject every chain with a wrong answer" },
  { group: "Decide", keys: ["f"], act: "badQuestion", what: "The question is wrong: reject all; again takes it back" },
  { group: "Decide", keys: ["Backspace", "Delete"], act: "clear", what: "Take the decision back" },
  { group: "Go on", keys: ["Enter"], act: "next", what: "Send the decisions, bring the next question" },
  { group: "Go on", keys: ["s"], act: "skip", what: "Skip: somebody else gets it" },
  { group: "Go on", keys: ["u"], act: "undo", what: "Take the last question back" },
  { group: "Move", keys: ["ArrowLeft", "h"], act: "left", what: "Chain to the left", repeats: true },
  { group: "Move", keys: ["ArrowRight", "l"], act: "right", what: "Chain to the right", repeats: true },
  { group: "Move", keys: ["ArrowUp", "k"], act: "up", what: "Step before", repeats: true },
  { group: "Move", keys: ["ArrowDown", "j"], act: "down", what: "Step after", repeats: true },
  { group: "Label steps", keys: ["1…9"], what: "Step 1 to 9 is good; again takes it back" },
  { group: "Label steps", keys: ["Shift+1…9"], what: "Step 1 to 9 is bad" },
  { group: "Label steps", keys: ["+", "="], act: "good", what: "The step under the cursor is good" },
  { group: "Label steps", keys: ["-"], act: "bad", what: "… is bad" },
  { group: "Label steps", keys: ["0"], act: "neutral", what: "… is neutral" },
  { group: "Label steps", keys: ["Space"], act: "cycle", what: "… the label after this one" },
  { group: "Look", keys: ["r"], act: "worked", what: "The worked answer" },
  { group: "Look", keys: ["m"], act: "marks", what: "Calculator marks and thinking, shown or folded" },
  { group: "Look", keys: ["t"], act: "wrote", what: "Who wrote each chain" },
  { group: "Look", keys: ["g"], act: "guidelines", what: "Guidelines of the project" },
  { group: "Look", keys: ["?"], act: "keys", what: "These keys" },
];

const byKey = new Map(KEYS.flatMap((one) => (one.act ? one.keys.map((key) => [key, one]) : [])));

export function isTyping(target) {
  return target instanceof Element && target.closest("input, textarea, select, [contenteditable]") !== null;
}

// {act, repeats} or {act: "label", number, value} of a key press; null when it means nothing here.
export function read(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return null;
  // By place on the keyboard: with Shift, and on some layouts without, the row of digits gives signs.
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code);
  if (digit && !(event.code.startsWith("Numpad") && event.key.length > 1)) {
    return { act: "label", number: Number(digit[1]), value: event.shiftKey ? -1 : 1 };
  }
  return byKey.get(nameOf(event)) ?? null;
}

export function digitOf(event) {
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code);
  return digit && !event.ctrlKey && !event.metaKey && !event.altKey ? Number(digit[1]) : 0;
}

function nameOf(event) {
  if (event.key === " ") return "Space";
  let key = event.key;
  // A keyboard whose letters are not Latin: the key's place says which one is meant.
  if (key.length === 1 && key.charCodeAt(0) > 127 && /^Key[A-Z]$/.test(event.code)) key = event.code[3];
  if (/^[a-z]$/i.test(key)) return (event.shiftKey ? "Shift+" : "") + key.toLowerCase();
  return key;
}

const SIGNS = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Enter: "⏎", Backspace: "⌫", Delete: "Del", Space: "␣", "Shift+x": "X", "Shift+1…9": "⇧ 1…9" };

export function fillDialog(box) {
  const groups = Map.groupBy ? Map.groupBy(KEYS, (k) => k.group) : group(KEYS);
  for (const [name, rows] of groups) {
    const part = document.createElement("section");
    part.append(Object.assign(document.createElement("h3"), { textContent: name }));
    const list = document.createElement("dl");
    for (const row of rows) {
      const keys = document.createElement("dt");
      for (const key of row.keys) {
        keys.append(Object.assign(document.createElement("kbd"), { textContent: SIGNS[key] ?? key }), " ");
      }
      list.append(keys, Object.assign(document.createElement("dd"), { textContent: row.what }));
    }
    part.append(list);
    box.append(part);
  }
}

function group(rows) {
  const found = new Map();
  for (const row of rows) found.set(row.group, [...(found.get(row.group) ?? []), row]);
  return found;
}
