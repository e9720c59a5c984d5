// The cursor: which rationale, and which of its steps, the keys speak of.

import { isTyping } from "./keys.js";
import { closePanels } from "./page.js";
import { box, decisionOf, isOpen, isSeen, keep, table } from "./table.js";

const onMove = [];
// `act(rationale)` is called when the cursor comes to another rationale.
export const whenMoved = (act) => onMove.push(act);

export function move(rationale) {
  if (!rationale) return;
  const other = table.current !== rationale;
  if (other) {
    closePanels();
    table.step = 0;
  }
  table.current?.removeAttribute("aria-current");
  table.current = rationale;
  rationale.setAttribute("aria-current", "true");
  for (const one of box.querySelectorAll(".step.at")) one.classList.remove("at");
  bringAside(rationale);
  if (!isTyping(document.activeElement)) rationale.focus({ preventScroll: true });
  if (other) for (const act of onMove) act(rationale);
}

// Sideways only: on a narrow page the question above the rationales stays where it is.
function bringAside(rationale) {
  const row = rationale.parentElement;
  const [inner, outer] = [rationale.getBoundingClientRect(), row.getBoundingClientRect()];
  if (inner.left < outer.left) row.scrollLeft += inner.left - outer.left - 1;
  else if (inner.right > outer.right) row.scrollLeft += inner.right - outer.right + 1;
}

export const seen = () => table.rationales.filter(isSeen);

export function beside(way) {
  const row = seen();
  move(row[row.indexOf(table.current) + way]);
  keep();
}

// To the next rationale that waits for a decision, if there is one.
export function advance() {
  const row = seen();
  const place = row.indexOf(table.current);
  const order = [...row.slice(place + 1), ...row.slice(0, Math.max(0, place))];
  move(order.find((rationale) => isOpen(rationale) && !decisionOf(rationale).verdict));
  keep();
}

export function setStep(row, { scrolls = true } = {}) {
  for (const one of box.querySelectorAll(".step.at")) one.classList.remove("at");
  table.step = Number(row.dataset.step);
  row.classList.add("at");
  if (scrolls) row.scrollIntoView({ block: "nearest" });
}

// Where a question begins: the rationale that the person was at, else the first one to decide on.
export function moveToStart() {
  const row = seen();
  const last = row.find((rationale) => rationale.dataset.rationale === table.draft.rationale);
  move(last ?? row.find(isOpen) ?? row[0]);
}
