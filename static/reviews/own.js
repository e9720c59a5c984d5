// A rationale that the person writes: a column of its own beside the others.

import { isEmpty } from "../clean.js";
import { openEditor } from "./rationales.js";
import { advance, move } from "./moving.js";
import { closePanels, say } from "./page.js";
import { box, changed, checking, keep, ready, table, whenBegun } from "./table.js";

const template = document.getElementById("own-rationale");
const shown = () => box.querySelector(".rationale.own");

// A draft brings its column back.
whenBegun(() => {
  if (table.state.item !== null && (table.draft.own.text || table.draft.own.used)) column();
});

function column() {
  if (shown()) return shown();
  box.querySelector(".rationales").append(template.content.cloneNode(true));
  table.rationales = [...box.querySelectorAll(".rationale")];
  return shown();
}

export function write() {
  const rationale = column();
  move(rationale);
  if (rationale.querySelector(".editor")) return rationale.querySelector("textarea").focus();
  closePanels();
  const { own } = table.draft;
  openEditor(rationale, own.text, {
    typed: (text) => {
      own.text = text;
      keep();
    },
    use: (text) => {
      if (isEmpty(text)) return "Your rationale is empty: write it, or go back with Esc.";
      Object.assign(own, { text, used: true });
      return "";
    },
    close: () => {
      if (isEmpty(own.text)) return drop();
      changed(rationale);
      rationale.focus({ preventScroll: true });
      say(own.used ? "Your rationale goes with your decisions." : "Your text is kept; it is not sent.");
      if (own.used) advance();
    },
    check: checking(),
  });
  changed(rationale);
}

// The text stays in the column, to be taken up again; a second time drops it for good.
export function takeBack() {
  const { own } = table.draft;
  if (!own.used) return drop();
  own.used = false;
  changed(shown());
  say("Your rationale is not sent; its text is kept. Again drops it.");
}

function drop() {
  table.draft.own = { text: "", used: false };
  const rationale = shown();
  const beside = rationale.previousElementSibling;
  rationale.remove();
  table.rationales = [...box.querySelectorAll(".rationale")];
  move(beside);
  keep();
  ready();
}
