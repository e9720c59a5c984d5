// One wide column, or the rationales side by side: what the person chose, for long texts and for short
// ones, else wide where a text is long.

import { whenMoved, move } from "../moving.js";
import { make, say } from "../page.js";
import { box, decisionOf, isOpen, isSeen, letterOf, root, table, whenBegun } from "../table.js";
import { bringIntoView, edgesOf, scrollerOf } from "./places.js";
import { textOf } from "./text.js";

const LONG = 40; // steps that side by side make a column of many screens

const key = (isLong) => `chainwright:wide:${isLong ? "long" : "short"}`;

function chosen(isLong) {
  try {
    return localStorage.getItem(key(isLong));
  } catch {
    return null;
  }
}

const isLong = () => table.rationales.some((one) => textOf(one).total > LONG);
const here = () => box.querySelector(".table");

// Before anything is measured.
export function arrange() {
  if (table.state.item === null || !here()) return;
  const long = isLong();
  set((chosen(long) ?? (long ? "1" : "")) === "1");
}

export function turn() {
  const wide = !here().classList.contains("wide");
  try {
    localStorage.setItem(key(isLong()), wide ? "1" : "0");
  } catch {
    // Forgotten with the page.
  }
  set(wide);
  move(table.current);
  say(wide ? "One wide column." : "Side by side.");
}

function set(wide) {
  here().classList.toggle("wide", wide);
  for (const rationale of table.rationales) if (textOf(rationale).isLong) textOf(rationale).guess();
  box.querySelector(".rationale-tabs")?.remove();
  if (!wide || table.rationales.length < 2) return;
  const tabs = make("div", { className: "rationale-tabs" });
  tabs.setAttribute("role", "group");
  tabs.setAttribute("aria-label", "Rationales");
  box.querySelector(".rationales").prepend(tabs);
  paintTabs();
}

const SIGNS = { approve: "approved", edit: "edited", reject: "rejected" };

export function paintTabs() {
  const row = box.querySelector(".rationale-tabs");
  if (!row) return;
  row.replaceChildren(...table.rationales.filter(isSeen).map((rationale) => {
    const text = textOf(rationale);
    const tab = make("button", { type: "button", className: "tab quiet" });
    const verdict = isOpen(rationale) ? decisionOf(rationale).verdict : rationale.classList.contains("locked") ? "locked" : "";
    tab.append(make("b", { textContent: letterOf(rationale) }));
    const chip = rationale.querySelector(".chip.tells")?.cloneNode(true);
    if (chip) tab.append(chip);
    const length = text.total ? [`${text.total.toLocaleString("en")} step${text.total === 1 ? "" : "s"}`] : [];
    if (text.doubts.size) length.push(`${text.doubts.size} self-correction${text.doubts.size === 1 ? "" : "s"}`);
    tab.append(make("span", { className: "label num", textContent: length.join(" · ") }));
    if (SIGNS[verdict]) tab.append(make("span", { className: `chip ${verdict === "reject" ? "bad" : "good"}`, textContent: SIGNS[verdict] }));
    if (rationale === table.current) tab.setAttribute("aria-current", "true");
    tab.addEventListener("click", () => move(rationale));
    return tab;
  }));
}

whenBegun(arrange);
whenMoved(paintTabs);

// What is asked takes its room from below: the step under the cursor stays in view.
let height = 0;
new ResizeObserver(([{ target }]) => {
  const grown = target.offsetHeight - height;
  height = target.offsetHeight;
  const row = grown > 0 && table.step && table.current ? textOf(table.current).row(table.step) : null;
  const { bottom } = row ? edgesOf(scrollerOf(table.current)) : {};
  if (row && row.getBoundingClientRect().bottom > bottom && row.getBoundingClientRect().top < bottom + grown) bringIntoView(row);
}).observe(root.querySelector(".under"));
