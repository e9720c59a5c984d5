// A map of a long rationale beside its text: labels at its left, flags and doubts at its right, and what
// is on the screen.

import { make } from "../page.js";
import { box, decisionOf, isOpen, table, whenBegun } from "../table.js";
import { ranged } from "./ranges.js";
import { goTo } from "./reading.js";
import { visibleRows } from "./places.js";
import { showsThought, textOf } from "./text.js";

const WIDTH = 16;
const maps = new WeakMap();
let asked = false;

whenBegun(() => {
  for (const rationale of table.rationales) {
    const text = textOf(rationale);
    if (text.isLong) build(rationale, text);
  }
});

function build(rationale, text) {
  const body = rationale.querySelector(".body");
  const read = make("div", { className: "read" });
  const canvas = make("canvas", { className: "map" });
  canvas.setAttribute("aria-hidden", "true");
  canvas.title = "The whole rationale: labels at the left, flags and self-corrections at the right";
  body.before(read);
  read.append(body, canvas);
  // Where each part begins, as a share of all, by its length.
  const sum = text.parts.reduce((all, part) => all + part.length, 0) || 1;
  let at = 0;
  const begins = text.parts.map((part) => {
    const begin = at / sum;
    at += part.length;
    return begin;
  });
  maps.set(rationale, { canvas, begins: [...begins, 1] });
  canvas.addEventListener("click", (event) => {
    event.stopPropagation();
    goTo(numberAt(text, maps.get(rationale), event.offsetY / canvas.clientHeight));
  });
  new ResizeObserver(redraw).observe(canvas);
}

// The two pieces of a run that the final part's place before the thought cuts apart.
function inOrder({ thought }, first, last) {
  if (first > thought || last <= thought) return [[first, last]];
  return [[first, thought], [thought + 1, last]];
}

function share(text, { begins }, number) {
  const part = text.partOf(number);
  const within = (number - part.first) / (part.last - part.first + 1);
  return begins[part.place] + within * (begins[part.place + 1] - begins[part.place]);
}

function numberAt(text, { begins }, at) {
  const place = Math.max(0, begins.findLastIndex((begin, index) => begin <= at && index < text.parts.length));
  const part = text.parts[place];
  const within = (at - begins[place]) / (begins[place + 1] - begins[place] || 1);
  return Math.min(part.last, part.first + Math.floor(within * (part.last - part.first + 1)));
}

// In the next frame, however often it is asked for.
export function redraw() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    for (const rationale of table.rationales) {
      const map = maps.get(rationale);
      if (map?.canvas.clientHeight) draw(rationale, textOf(rationale), map);
    }
  });
}

box.addEventListener("scroll", redraw, { capture: true, passive: true });
document.addEventListener("scroll", redraw, { passive: true });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });

function draw(rationale, text, map) {
  const { canvas } = map;
  const height = canvas.clientHeight;
  const ratio = window.devicePixelRatio || 1;
  if (canvas.height !== Math.round(height * ratio)) Object.assign(canvas, { height: Math.round(height * ratio), width: WIDTH * ratio });
  const pen = canvas.getContext("2d");
  // Colours as they are in this theme: properties that a canvas does not draw with carry them.
  const { color: line, caretColor: good, textDecorationColor: bad, columnRuleColor: warn, outlineColor: here } = getComputedStyle(canvas);
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, WIDTH, height);
  const y = (number) => share(text, map, number) * height;
  // Where the final part ends and the thought begins.
  if (text.thought && text.thought < text.total) {
    pen.fillStyle = line;
    pen.fillRect(0, y(1) - 0.5, WIDTH, 1);
  }
  const stripe = (number, left, width, tall) => pen.fillRect(left, Math.min(height - tall, y(number)), width, tall);
  if (isOpen(rationale)) {
    // Runs of the same label as one stroke, bad ones last so that they are seen.
    const colours = { 1: good, 0: line, "-1": bad };
    const runs = Object.entries(ranged(decisionOf(rationale).labels)).sort(([, one], [, other]) => other - one);
    for (const [span, value] of runs) {
      const [first, last = first] = span.split("-").map(Number);
      if (last > text.total) continue;
      pen.fillStyle = colours[value];
      for (const [from, to] of inOrder(text, first, last)) stripe(from, 1, 4, Math.max(value < 0 ? 3 : 1.5, y(to) - y(from) + height / text.total));
    }
  }
  pen.fillStyle = line;
  pen.globalAlpha = text.doubts.size > height / 6 ? 0.45 : 0.8;
  for (const number of text.doubts) stripe(number, 8, 7, 1);
  pen.globalAlpha = 1;
  for (const [severity, colour] of [["warning", warn], ["error", bad]]) {
    pen.fillStyle = colour;
    for (const [number, one] of text.flags) if (one === severity) stripe(number, 7, 8, 3);
  }
  const rows = visibleRows(rationale);
  if (!rows.length || (!showsThought(rationale) && text.thought === text.total)) return;
  const [first, last] = [rows[0], rows.at(-1)].map((row) => Number(row.dataset.step));
  pen.strokeStyle = here;
  pen.lineWidth = 1.5;
  const top = Math.max(1, y(first));
  pen.strokeRect(1, top, WIDTH - 2, Math.max(6, y(last) - top + 2));
}
