// A chain that the person writes: a column of its own beside the others.

import { openEditor } from "./chains.js";
import { advance, move } from "./moving.js";
import { closePanels, say } from "./page.js";
import { box, changed, checking, keep, ready, table, whenBegun } from "./table.js";

const template = document.getElementById("own-chain");
const shown = () => box.querySelector(".chain.own");

// A draft brings its column back.
whenBegun(() => {
  if (table.state.item !== null && (table.draft.own.text || table.draft.own.used)) column();
});

function column() {
  if (shown()) return shown();
  box.querySelector(".chains").append(template.content.cloneNode(true));
  table.chains = [...box.querySelectorAll(".chain")];
  return shown();
}

export function write() {
  const chain = column();
  move(chain);
  if (chain.querySelector(".editor")) return chain.querySelector("textarea").focus();
  closePanels();
  const { own } = table.draft;
  openEditor(chain, own.text, {
    typed: (text) => {
      own.text = text;
      keep();
    },
    use: (text) => {
      if (!text.trim()) return "Your chain is empty: write it, or go back with Esc.";
      Object.assign(own, { text, used: true });
      return "";
    },
    close: () => {
      if (!own.text.trim()) return drop();
      changed(chain);
      chain.focus({ preventScroll: true });
      say(own.used ? "Your chain goes with your decisions." : "Your text is kept; it is not sent.");
      if (own.used) advance();
    },
    check: checking(),
  });
  changed(chain);
}

// The text stays in the column, to be taken up again; a second time drops it for good.
export function takeBack() {
  const { own } = table.draft;
  if (!own.used) return drop();
  own.used = false;
  changed(shown());
  say("Your chain is not sent; its text is kept. Again drops it.");
}

function drop() {
  table.draft.own = { text: "", used: false };
  const chain = shown();
  const beside = chain.previousElementSibling;
  chain.remove();
  table.chains = [...box.querySelectorAll(".chain")];
  move(beside);
  keep();
  ready();
}
