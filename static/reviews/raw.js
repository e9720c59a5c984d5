// The texts as they are stored, to be read and copied unchanged: no formulas drawn, no tables made.

import { make, toggleLook } from "./page.js";
import { box, root, table, whenBegun } from "./table.js";

export function turn() {
  toggleLook("show-raw");
  paint();
}

const isOn = () => root.classList.contains("show-raw");

function paint() {
  for (const one of box.querySelectorAll(".raw")) one.remove();
  if (!isOn() || table.state.item === null) return;
  box.querySelector(".ask .q")?.after(raw(table.state.question ?? "", "The question as it is stored"));
  for (const rationale of table.rationales) {
    const { text } = rationale.dataset;
    if (!text || rationale.querySelector(".editor")) continue;
    rationale.querySelector(".steps").before(raw(text, `Rationale ${rationale.dataset.letter} as it is stored`));
  }
}

// A field that cannot be changed: what is copied out of it is the text itself.
function raw(text, name) {
  const part = make("div", { className: "raw" });
  const area = make("textarea", { value: text, readOnly: true, dir: "auto", className: "raw-text", rows: Math.min(24, text.split("\n").length + 2) });
  area.setAttribute("aria-label", name);
  const copy = make("button", { type: "button", className: "quiet", textContent: "Copy" });
  copy.addEventListener("click", async () => {
    area.select();
    await navigator.clipboard?.writeText(text).then(() => (copy.textContent = "Copied"), () => document.execCommand("copy"));
  });
  part.append(area, copy);
  return part;
}

whenBegun(paint);
