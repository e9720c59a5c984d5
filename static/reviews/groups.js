// Rationales that say the same fold behind the first of them, which then stands for all.

import { move } from "./moving.js";
import { make, notice, say } from "./page.js";
import { decisionOf, isOpen, keep, letterOf, table, whenBegun } from "./table.js";

const twinsOf = (rationale) => table.rationales.filter((one) => one.dataset.twinOf === letterOf(rationale));
const isFolded = (rationale) => rationale.classList.contains("folded");
const headOf = (rationale) => table.rationales.find((one) => letterOf(one) === rationale.dataset.twinOf) ?? rationale;

// The rationale and those that are folded behind it now.
export const groupOf = (rationale) => [rationale, ...twinsOf(rationale).filter(isFolded)];

whenBegun(() => {
  for (const head of table.rationales) {
    const twins = twinsOf(head);
    if (!twins.length) continue;
    const row = make("button", { type: "button", className: "twins quiet" });
    row.addEventListener("click", () => turn(head));
    head.querySelector("header").after(row);
    // What was decided apart stays apart.
    const apart = twins.some((one) => !isOpen(one) || decisionOf(one).verdict !== decisionOf(head).verdict);
    set(head, !apart && !table.draft.unfolded.includes(letterOf(head)));
  }
});

function set(head, folded) {
  const twins = twinsOf(head);
  for (const one of twins) one.classList.toggle("folded", folded);
  const row = head.querySelector(".twins");
  row.setAttribute("aria-expanded", String(!folded));
  const letters = twins.map(letterOf).join(", ");
  row.textContent = folded
    ? `${twins.length} more like ${letterOf(head)}: ${letters}. What you decide counts for all.`
    : `${letters} ${twins.length === 1 ? "is" : "are"} like this one. Fold.`;
}

export function unfold(head) {
  set(head, false);
  remember(head, true);
}

export function turn(rationale = table.current) {
  const head = headOf(rationale);
  if (!twinsOf(head).length) return notice("No other rationale is like this one.");
  const folding = !twinsOf(head).some(isFolded);
  set(head, folding);
  remember(head, !folding);
  if (folding) move(head);
  say(head.querySelector(".twins").textContent);
}

function remember(head, open) {
  const others = table.draft.unfolded.filter((one) => one !== letterOf(head));
  table.draft.unfolded = open ? [...others, letterOf(head)] : others;
  keep();
}
