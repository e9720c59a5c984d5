// The cursor: which chain, and which of its steps, the keys speak of.

import { isTyping } from "./keys.js";
import { closePanels } from "./page.js";
import { box, decisionOf, isOpen, isSeen, keep, table } from "./table.js";

const onMove = [];
// `act(chain)` is called when the cursor comes to another chain.
export const whenMoved = (act) => onMove.push(act);

export function move(chain) {
  if (!chain) return;
  const other = table.current !== chain;
  if (other) {
    closePanels();
    table.step = 0;
  }
  table.current?.removeAttribute("aria-current");
  table.current = chain;
  chain.setAttribute("aria-current", "true");
  for (const one of box.querySelectorAll(".step.at")) one.classList.remove("at");
  bringAside(chain);
  if (!isTyping(document.activeElement)) chain.focus({ preventScroll: true });
  if (other) for (const act of onMove) act(chain);
}

// Sideways only: on a narrow page the question above the chains stays where it is.
function bringAside(chain) {
  const row = chain.parentElement;
  const [inner, outer] = [chain.getBoundingClientRect(), row.getBoundingClientRect()];
  if (inner.left < outer.left) row.scrollLeft += inner.left - outer.left - 1;
  else if (inner.right > outer.right) row.scrollLeft += inner.right - outer.right + 1;
}

export const seen = () => table.chains.filter(isSeen);

export function beside(way) {
  const row = seen();
  move(row[row.indexOf(table.current) + way]);
  keep();
}

// To the next chain that waits for a decision, if there is one.
export function advance() {
  const row = seen();
  const place = row.indexOf(table.current);
  const order = [...row.slice(place + 1), ...row.slice(0, Math.max(0, place))];
  move(order.find((chain) => isOpen(chain) && !decisionOf(chain).verdict));
  keep();
}

export function moveStep(way) {
  const steps = [...table.current.querySelectorAll("[data-step]")].filter((one) => one.offsetParent);
  if (!steps.length) return;
  let place = steps.findIndex((one) => Number(one.dataset.step) === table.step) + way;
  if (table.step === 0) place = way > 0 ? 0 : steps.length - 1;
  setStep(steps[Math.max(0, Math.min(steps.length - 1, place))]);
}

export function setStep(row) {
  for (const one of box.querySelectorAll(".step.at")) one.classList.remove("at");
  table.step = Number(row.dataset.step);
  row.classList.add("at");
  row.scrollIntoView({ block: "nearest" });
}

// Where a question begins: the chain that the person was at, else the first one to decide on.
export function moveToStart() {
  const row = seen();
  const last = row.find((chain) => chain.dataset.rationale === table.draft.chain);
  move(last ?? row.find(isOpen) ?? row[0]);
}
