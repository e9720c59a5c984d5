// Moving inside a rationale: screens, its begin and end, flags, doubts, a step by its number.

import { isTyping } from "../keys.js";
import { setStep, whenMoved } from "../moving.js";
import { notice, say } from "../page.js";
import { box, letterOf, table, whenBegun } from "../table.js";
import { bringIntoView, edgesOf, isVisible, note, restore, scrollerOf, visibleRows } from "./places.js";
import { foldThoughts, textOf } from "./text.js";

const OVERLAP = 48; // pixels of the last screen that stay in view

whenBegun(() => {
  for (const rationale of table.rationales) foldThoughts(rationale);
});

whenMoved(async (rationale) => {
  const step = await restore(rationale);
  const row = step && table.current === rationale && !table.step ? textOf(rationale).row(step) : null;
  if (row && isVisible(row)) setStep(row, { scrolls: false });
});

box.addEventListener("scroll", (event) => {
  const rationale = event.target.closest?.(".rationale");
  if (rationale) note(rationale);
}, { capture: true, passive: true });
document.addEventListener("scroll", () => table.current && note(table.current), { passive: true });

// The step under the cursor; one that was scrolled away is on no screen.
export function stepHere() {
  if (!table.step) return null;
  return textOf(table.current).row(table.step);
}

export function page(way) {
  const rationale = table.current;
  const scroller = scrollerOf(rationale);
  const { top, bottom } = edgesOf(scroller);
  scroller.scrollTop += way * Math.max(60, bottom - top - OVERLAP);
  cursorToScreen();
}

// To the first or the last step that is not folded away, and to the edge of the text there.
export async function toEnd(way) {
  const rationale = table.current;
  const text = textOf(rationale);
  const scroller = scrollerOf(rationale);
  if (text.total) {
    let index = way > 0 ? text.total - 1 : 0;
    while (index > 0 && text.isFolded(text.numberAt(index))) index -= 1;
    if (!(await goTo(text.numberAt(index), { share: way > 0 ? 0.8 : 0 }))) return;
    if (text.isLong) return;
  }
  if (way > 0) scroller.scrollTop = scroller.scrollHeight;
  else if (scroller === document.scrollingElement) rationale.scrollIntoView({ block: "start" });
  else scroller.scrollTop = 0;
}

function cursorToScreen() {
  const rows = visibleRows(table.current);
  if (!rows.length) return;
  const { top } = edgesOf(scrollerOf(table.current));
  setStep(rows.find((row) => row.getBoundingClientRect().top >= top - 2) ?? rows[0], { scrolls: false });
}

// Step before or after; from a step that was scrolled away, the first one on the screen.
export async function moveStep(way) {
  const rationale = table.current;
  const text = textOf(rationale);
  if (!text.total) return;
  const here = stepHere();
  if (table.step && (!here || !isVisible(here)) && text.isLong) return cursorToScreen();
  let index = table.step ? text.indexOf(table.step) + way : way > 0 ? 0 : text.total - 1;
  index = Math.max(0, Math.min(text.total - 1, index));
  while (text.isFolded(text.numberAt(index)) && index > 0) index -= 1;
  if (!text.isFolded(text.numberAt(index))) await goTo(text.numberAt(index), { share: null });
}

// To a step by its number, wherever it is. Returns its row, or null.
export async function goTo(number, { share = 0.3 } = {}) {
  const rationale = table.current;
  const text = textOf(rationale);
  if (!text.partOf(number)) {
    notice(text.total ? `${letterOf(rationale)} has the steps 1 to ${text.total.toLocaleString("en")}: there is no step ${number}.` : `${letterOf(rationale)} has no steps.`);
    return null;
  }
  let row = text.show(number);
  if (row instanceof Promise) {
    try {
      row = await row;
    } catch {
      notice("The step did not come: there is no connection now. Try again in a moment.");
      return null;
    }
    if (table.current !== rationale) return null;
  }
  setStep(row, { scrolls: false });
  if (share === null) bringIntoView(row);
  else if (!isVisible(row) || text.isLong) {
    bringIntoView(row, { share });
    settle(rationale, number, share);
  }
  note(rationale);
  return row;
}

const FRAMES = 20;
let settling = 0;
for (const name of ["wheel", "pointerdown", "keydown"]) document.addEventListener(name, () => (settling += 1), { capture: true, passive: true });

// Parts above that are drawn after a jump may be higher or lower than was guessed: for some frames, or until
// the person does something else, the step is held where it was brought.
function settle(rationale, number, share) {
  settling += 1;
  const mine = settling;
  let left = FRAMES;
  const hold = () => {
    left -= 1;
    if (settling !== mine || table.current !== rationale || table.step !== number || left < 0) return;
    const row = textOf(rationale).row(number);
    if (row) bringIntoView(row, { share });
    requestAnimationFrame(hold);
  };
  requestAnimationFrame(hold);
}

// ---- from one mark to the next

function nextOf(stops, way, text) {
  const here = table.step ? text.indexOf(table.step) : -1;
  const places = stops.map((number) => text.indexOf(number)).sort((a, b) => a - b);
  if (!places.length) return null;
  const found = way > 0 ? places.find((one) => one > here) : places.findLast((one) => here >= 0 && one < here);
  const place = found ?? (way > 0 ? places[0] : places.at(-1));
  return { number: text.numberAt(place), nth: places.indexOf(place) + 1, of: places.length, isRound: found === undefined && here >= 0 };
}

async function jump(stops, way, name) {
  const letter = letterOf(table.current);
  const found = nextOf(stops, way, textOf(table.current));
  if (!found) return notice(`${letter} has no ${name}.`);
  if (!(await goTo(found.number))) return;
  const told = `${name} ${found.nth} of ${found.of}, step ${found.number}${found.isRound ? "; begun anew" : ""}`;
  say(`${told}. ${textOf(table.current).row(found.number)?.querySelector(".flag")?.textContent ?? ""}`);
  if (found.isRound) notice(`${told[0].toUpperCase()}${told.slice(1)}.`);
}

// Warnings and errors; where there are none, the remarks. A run of the same is one stop.
export function flag(way) {
  const { flags } = textOf(table.current);
  const grave = [...flags].filter(([, severity]) => severity !== "info");
  const stops = (grave.length ? grave : [...flags]).filter(([number, severity]) => flags.get(number - 1) !== severity || flags.get(number - 2) !== severity || flags.get(number - 3) !== severity);
  return jump(stops.map(([number]) => number), way, "flag");
}

export const doubt = (way) => jump([...textOf(table.current).doubts], way, "self-correction");

// ---- boxes inside the text that scroll by themselves

// A wide formula, table or piece of code takes the keys while it has the focus.
export const scrollsItself = (target) => !isTyping(target) && target.closest?.(".text [tabindex='0']") !== null;

export function markBoxes(part) {
  for (const one of part.querySelectorAll(".text pre, .text table, .text math[display='block']")) {
    if (one.hasAttribute("tabindex") || one.scrollWidth <= one.clientWidth + 1) continue;
    one.tabIndex = 0;
    one.setAttribute("role", "group");
    one.setAttribute("aria-label", "Scrolls sideways by the arrow keys");
  }
}

