// The dialogs that ask about the question itself: why it is skipped, and (flags.js) what is wrong with
// it. What is typed in them is kept with the draft.

import { clean } from "../clean.js";
import { digitOf, isKeyOf, isTyping } from "./keys.js";
import { keep, table } from "./table.js";

export class Ask {
  // `name`: the dialog's id and the draft's; `act`: the key that opened it, which confirms.
  constructor(name, act, done) {
    Object.assign(this, { name, act, done, dialog: document.getElementById(name) });
    this.area = this.dialog.querySelector("textarea, input[type=text]");
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
    else if (isKeyOf(event, this.act) && !event.repeat) this.confirm({ again: true });
    else if (event.key === "Enter" && !event.repeat && !event.target.closest("button")) this.confirm();
    else return;
    event.preventDefault();
  }

  refuse(text) {
    this.problem.textContent = text;
    this.problem.hidden = false;
  }

  wordsOf(choice) {
    return this.choices.find((one) => one.dataset.choice === choice)?.dataset.words ?? "";
  }

  // `how`: handed on, such as that the key was pressed a second time.
  confirm(how = {}) {
    const words = clean(this.area.value);
    const needsWords = this.choices.find((one) => one.dataset.choice === this.choice)?.hasAttribute("data-needs-words");
    if (needsWords && !words) {
      this.area.focus();
      return this.refuse("Say it in your own words.");
    }
    this.done({ choice: this.choice, words, ...how });
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
    ask.forget();
    send([ask.wordsOf(choice), words].filter(Boolean).join(": ").slice(0, 200));
  });
  return ask;
}
