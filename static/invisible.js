// What scripts write into a page is treated as the server treats its pages, see curation/text/invisible.py: marks
// for characters that nobody sees, and text from right to left kept to itself.

import RULE from "./invisible_rule.js";

const inside = (name, more = "") => `[${RULE[name]}${more}]`;
export const UNSEEN = new RegExp(inside("unseen"), "u");
const SUSPECT = new RegExp(`[${RULE.unseen}${RULE.rtl}]`, "u");
const KINDS = RULE.kinds.map(([signs, words]) => [new RegExp(`[${signs}]`, "u"), words]);
const PICTURE = `${inside("pictures")}[\ufe0e\ufe0f]?`;
const KEPT = [
  "\u{1f3f4}[\u{e0030}-\u{e0039}\u{e0061}-\u{e007a}]{3,6}\u{e007f}",
  "[0-9#*]\ufe0f?\u20e3",
  `${PICTURE}(?:\u200d${PICTURE})*`,
  `${inside("ideographs")}[\ufe00-\ufe02\u{e0100}-\u{e01ef}]`,
  `${inside("mongolian")}[\u180b-\u180d\u180f]`,
  `(?<=${inside("joining")})[\u200c\u200d](?=${inside("joining")})`,
].join("|");
const PARTS = new RegExp(`(?<kept>${KEPT})|(?<unseen>${inside("unseen")}+)`, "gu");
const RTL = new RegExp(`${inside("rtl")}(?:[^\n${RULE.ltr}]*${inside("rtl")})?`, "gu");
const ATTRIBUTES = ["title", "aria-label", "aria-description", "alt", "placeholder", "label"];
const DONE = ".unseen, script, style, textarea, math";
const MAX_MARKS = 1000;
let marks = 0;

const codeOf = (sign) => sign.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");

export function nameOf(sign) {
  const kind = KINDS.find(([signs]) => signs.test(sign))?.[1] ?? RULE.other;
  return `U+${codeOf(sign)} ${RULE.names[codeOf(sign)] ?? kind}`;
}

export function plain(text) {
  const codes = (signs) => [...signs].map((sign) => `[U+${codeOf(sign)}]`).join("");
  return text.replace(PARTS, (all, kept) => kept ?? codes(all)).replace(RTL, "\u2068$&\u2069");
}

function mark(signs) {
  const all = [...signs];
  const names = [...new Set(all)].slice(0, 8).map(nameOf).join(", ");
  const codes = all.slice(0, 3).map((sign) => `U+${codeOf(sign)}`).join(" ");
  const made = Object.assign(document.createElement("span"), { className: "unseen", title: names, textContent: signs });
  made.setAttribute("role", "img");
  made.setAttribute("aria-label", names);
  made.dataset.codes = all.length > 3 ? `${codes} … (${all.length})` : codes;
  return made;
}

function marked(text) {
  const made = [];
  let place = 0;
  for (const found of text.matchAll(PARTS)) {
    if (!found.groups.unseen) continue;
    marks += 1;
    made.push(text.slice(place, found.index), marks > MAX_MARKS ? plain(found[0]) : mark(found[0]));
    place = found.index + found[0].length;
  }
  return [...made, text.slice(place)].filter((part) => part !== "");
}

// The isolates are those of `plain`, here or on the server.
const holdsUnseen = (text) => UNSEEN.test(text.replace(/[\u2068\u2069]/gu, ""));

function treatText(node) {
  const parent = node.parentElement;
  if (!parent || !SUSPECT.test(node.data) || parent.closest(DONE)) return;
  if (parent.closest("svg, title, option")) {
    if (holdsUnseen(node.data)) node.data = plain(node.data);
    return;
  }
  const made = [];
  let place = 0;
  // Inside of one that is there already only marks are missing.
  for (const found of parent.closest(".rtl") ? [] : node.data.matchAll(RTL)) {
    const run = Object.assign(document.createElement("span"), { className: "rtl" });
    run.append(...marked(found[0]));
    made.push(...marked(node.data.slice(place, found.index)), run);
    place = found.index + found[0].length;
  }
  made.push(...marked(node.data.slice(place)));
  if (made.length > 1 || typeof made[0] !== "string") node.replaceWith(...made);
}

// A field shows its text as it is, turned around or with something hidden: a line below it says so.
const FIELDS = "textarea, input:not([type]), input[type=text], input[type=search], input[type=url]";
const NAMED = 3;

function noteField(field) {
  const there = field.nextElementSibling?.matches(".unseen-note") ? field.nextElementSibling : null;
  const signs = [];
  for (const found of UNSEEN.test(field.value) ? field.value.matchAll(PARTS) : []) {
    if (!found.groups.unseen) continue;
    if (signs.length <= NAMED) {
      const [sign] = found[0];
      signs.push(`${nameOf(sign)} (character ${[...field.value.slice(0, found.index)].length + 1})`);
    }
  }
  if (!signs.length) return there?.remove();
  const more = signs.length > NAMED ? ", and more" : "";
  const text = `Not seen in this text: ${signs.slice(0, NAMED).join(", ")}${more}.`;
  if (there?.textContent === text) return;
  const note = there ?? Object.assign(document.createElement("small"), { className: "unseen-note" });
  note.setAttribute("role", "status");
  note.textContent = text;
  if (!there) field.after(note);
}

// Scripts fill fields without an event: these are looked at when somebody comes to them.
for (const event of ["input", "focusin"]) {
  document.addEventListener(event, ({ target }) => {
    if (target instanceof Element && target.matches(FIELDS)) noteField(target);
  });
}

function treatAttributes(element) {
  if (element.matches(".unseen")) return;
  for (const name of ATTRIBUTES) {
    const value = element.getAttribute(name);
    if (value && holdsUnseen(value)) element.setAttribute(name, plain(value));
  }
}

function treat(root) {
  if (root.nodeType === Node.TEXT_NODE) return treatText(root);
  if (root.nodeType !== Node.ELEMENT_NODE) return;
  const found = [];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  for (let node = root; node; node = walker.nextNode()) found.push(node);
  for (const node of found) {
    if (node.nodeType === Node.TEXT_NODE) treatText(node);
    else {
      treatAttributes(node);
      if (node.matches(FIELDS)) noteField(node);
    }
  }
}

new MutationObserver((changes) => {
  for (const change of changes) {
    if (change.type === "attributes") treatAttributes(change.target);
    else if (change.type === "characterData") treatText(change.target);
    else change.addedNodes.forEach(treat);
  }
}).observe(document.documentElement, {
  subtree: true,
  childList: true,
  characterData: true,
  attributes: true,
  attributeFilter: ATTRIBUTES,
});

document.querySelectorAll(FIELDS).forEach(noteField); // what came with the page
