// What the person says of the question itself: told to the server at once, taken back at the question or
// in the dialog that asks. Which questions they have flagged comes with the page; no later question
// asks for it again.

import { Ask } from "./asks.js";
import { rejectAll } from "./deciding.js";
import { isKeyOf, isTyping } from "./keys.js";
import { make, notice, say } from "./page.js";
import { box, root, table, whenBegun } from "./table.js";

const known = new Map(); // item -> its flags, or null where only the server knows them

export function flagDialog({ post, skip }) {
  const ask = new Ask("flag", "flag", flag);
  const reject = ask.dialog.querySelector("[name=reject]");
  const list = ask.dialog.querySelector(".flags");

  async function flag({ choice, words, again = false, skips = false }) {
    if (again && !choice && !words) return ask.dialog.close(); // the key pressed twice: nothing was said
    if (!choice) return ask.refuse("Choose what is wrong with the question.");
    const all = reject.checked;
    if (all && skips) return ask.refuse("A skip sends no decision: leave the rejection out, or flag without skipping.");
    const { item } = table.state;
    const flags = await send(item, { kind: choice, comment: words });
    if (!flags || table.state.item !== item) return;
    if (all) rejectAll();
    ask.forget();
    if (skips) {
      await skip(`flagged: ${ask.wordsOf(choice)}`);
      if (table.state.item === item) return; // the skip was refused, and says why
    }
    const rest = all ? " All its rationales are rejected here: bad question." : "";
    const told = `The question${skips ? " before" : ""} is flagged${skips ? " and skipped" : ""}; an admin looks at it.`;
    notice(told + rest, "Take the flag back", () => withdraw(item, flags.at(-1).id));
    say(told);
  }

  async function send(item, body) {
    try {
      const { flags } = await post(root.dataset.flag, { item, ...body });
      if (flags.length) known.set(item, flags);
      else known.delete(item);
      if (item === table.state.item) show();
      return flags;
    } catch (problem) {
      if (problem.status === undefined) throw problem;
      if (ask.dialog.open) ask.refuse(problem.message);
      else if (body.withdraw) notice(problem.message);
      return null;
    }
  }

  async function withdraw(item, id) {
    if (await send(item, { withdraw: id })) notice("The flag is taken back.");
  }

  function rows(item) {
    return (known.get(item) ?? []).map(({ id, words, comment }) => {
      const row = make("li", { textContent: comment ? `${words}: “${comment}” ` : `${words} ` });
      const button = make("button", { type: "button", className: "quiet", textContent: "Take back" });
      button.addEventListener("click", () => withdraw(item, id));
      row.append(button);
      return row;
    });
  }

  // At the question, so that one sees it without asking, and in the dialog.
  function show() {
    const { item } = table.state;
    list.replaceChildren(...rows(item));
    list.parentElement.hidden = !list.children.length;
    box.querySelector(".flagged")?.remove();
    if (!known.get(item)) return;
    const told = make("div", { className: "flagged" });
    const flags = make("ul", { className: "flags" });
    flags.append(...rows(item));
    told.append(make("p", { className: "label", textContent: "You flagged this question" }), flags);
    box.querySelector(".ask .foot")?.prepend(told);
  }

  whenBegun(() => {
    const { state } = table;
    for (const item of state.flagged ?? []) if (!known.has(item)) known.set(item, null);
    if (known.get(state.item) === null) send(state.item, {});
    else show();
  });
  // The key of "skip" says: flag it, and pass it on.
  ask.dialog.addEventListener("keydown", (event) => {
    if (isTyping(event.target) || !isKeyOf(event, "skip") || event.repeat) return;
    event.preventDefault();
    ask.confirm({ skips: true });
  });
  ask.dialog.querySelector("[data-flag-skip]").addEventListener("click", () => ask.confirm({ skips: true }));

  const open = ask.open.bind(ask);
  ask.open = () => {
    reject.checked = false;
    open();
    send(table.state.item, {}); // also what another tab has said
  };
  return ask;
}
