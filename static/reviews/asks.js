// The dialogs that ask about the question itself: what is wrong with it, and why it is skipped.
// What is typed in them is kept with the draft.

import { rejectAll } from "./deciding.js";
import { digitOf, isKeyOf, isTyping } from "./keys.js";
import { make, notice, say } from "./page.js";
import { keep, root, table } from "./table.js";

class Ask {
  // `name`: the dialog's id and the draft's; `act`: the key that opened it, which confirms.
  constructor(name, act, done) {
    Object.assign(this, { name, act, done, dialog: document.getElementById(name) });
    this.area = this.dialog.querySelector("textarea");
    this.problem = this.dialog.querySelector(".problem");
    this.choices = [...this.dialog.querySelectorAll("[data-choice]")];
    this.dialog.addEventListener("keydown", (event) => this.key(event));
    this.dialog.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.confirm();
    });
    this.dialog.addEventListener("click", (event) => {
      const choice = event.target.closest("[data-choice]");
      if (choice) this.choose(choice);
      else if (event.target.closest("[data-close]")) this.dialog.close();
    });
    this.area.addEventListener("input", () => this.keep());
    this.dialog.addEventListener("close", () => table.current?.focus({ preventScroll: true }));
  }

  open() {
    const { choice = "", words = "" } = table.draft.asked[this.name] ?? {};
    for (const one of this.choices) one.setAttribute("aria-pressed", String(one.dataset.choice === choice));
    this.area.value = words;
    this.problem.hidden = true;
    this.dialog.showModal();
    this.dialog.focus();
  }

  get choice() {
    return this.choices.find((one) => one.getAttribute("aria-pressed") === "true")?.dataset.choice ?? "";
  }

  choose(choice) {
    const on = choice.getAttribute("aria-pressed") !== "true";
    for (const one of this.choices) one.setAttribute("aria-pressed", String(on && one === choice));
    this.problem.hidden = true;
    if (on && choice.hasAttribute("data-needs-words")) this.area.focus();
    this.keep();
  }

  keep() {
    table.draft.asked[this.name] = { choice: this.choice, words: this.area.value };
    keep();
  }

  key(event) {
    event.stopPropagation(); // the page behind hears nothing, also not of the press that closes this
    const number = digitOf(event);
    if (isTyping(event.target)) {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      this.confirm();
    } else if (number && this.choices[number - 1]) this.choose(this.choices[number - 1]);
    else if (isKeyOf(event, this.act) && !event.repeat) this.confirm(true);
    else if (event.key === "Enter" && !event.repeat && !event.target.closest("button")) this.confirm();
    else return;
    event.preventDefault();
  }

  refuse(text) {
    this.problem.textContent = text;
    this.problem.hidden = false;
  }

  confirm(again = false) {
    const words = this.area.value.trim();
    const needsWords = this.choices.find((one) => one.dataset.choice === this.choice)?.hasAttribute("data-needs-words");
    if (needsWords && !words) {
      this.area.focus();
      return this.refuse("Say it in your own words.");
    }
    this.done({ choice: this.choice, words, again });
  }

  forget() {
    delete table.draft.asked[this.name];
    keep();
    this.dialog.close();
  }
}

// ---- skip: the key opens it, the same key again skips without a reason

export function skipDialog(send) {
  const ask = new Ask("skip", "skip", ({ choice, words }) => {
    const said = ask.choices.find((one) => one.dataset.choice === choice)?.dataset.words ?? "";
    ask.forget();
    send([said, words].filter(Boolean).join(": ").slice(0, 200));
  });
  return ask;
}

// ---- flags: told to the server at once, taken back in the same dialog

export function flagDialog(post) {
  const ask = new Ask("flag", "flag", async ({ choice, words, again }) => {
    if (again && !choice && !words) return ask.dialog.close(); // the key pressed twice: nothing was said
    if (!choice) return ask.refuse("Choose what is wrong with the question.");
    const { item } = table.state;
    const flags = await send({ item, kind: choice, comment: words });
    if (!flags || table.state.item !== item) return;
    const all = reject.checked;
    if (all) rejectAll();
    ask.forget();
    const rest = all ? " All its chains are rejected here: bad question." : "";
    notice(`The question is flagged; an admin looks at it.${rest}`, "Take the flag back", () => withdraw(flags.at(-1).id));
    say("The question is flagged.");
  });
  const reject = ask.dialog.querySelector("[name=reject]");
  const list = ask.dialog.querySelector(".flags");

  async function send(body) {
    try {
      const { flags } = await post(root.dataset.flag, body);
      show(flags);
      return flags;
    } catch (problem) {
      if (problem.status === undefined) throw problem;
      ask.refuse(problem.message);
      return null;
    }
  }

  async function withdraw(id) {
    const flags = await send({ item: table.state.item, withdraw: id });
    if (flags) notice("The flag is taken back.");
  }

  function show(flags) {
    list.replaceChildren(...flags.map(({ id, words, comment }) => {
      const row = make("li", { textContent: comment ? `${words}: “${comment}” ` : `${words} ` });
      const button = make("button", { type: "button", className: "quiet", textContent: "Take back" });
      button.addEventListener("click", () => withdraw(id));
      row.append(button);
      return row;
    }));
    list.parentElement.hidden = !flags.length;
  }

  const open = ask.open.bind(ask);
  ask.open = () => {
    show([]);
    reject.checked = false;
    open();
    send({ item: table.state.item }); // those that stand already
  };
  return ask;
}
