// The small forms inside a rationale: why it is rejected, and a comment on it.

import { clean, isEmpty } from "../clean.js";
import { digitOf, isKeyOf } from "./keys.js";

class Panel {
  constructor(form) {
    this.form = form;
    this.area = form.querySelector("textarea");
    form.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      // A click of the mouse leaves no focus behind, so that Enter stays "confirm".
      if (button && event.detail > 0) button.blur();
      if (button?.hasAttribute("data-panel-close")) this.close();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.confirm();
    });
    this.area.addEventListener("input", () => this.told?.typed(this.area.value));
  }

  get isOpen() {
    return !this.form.hidden;
  }

  // `told`: {typed(text), done(…), closed()}
  show(rationale, text, told) {
    this.told = told;
    this.area.value = text;
    for (const whose of this.form.querySelectorAll("[data-whose]")) whose.textContent = rationale.dataset.letter;
    // Below the rationales, so that it covers nothing of the one that is judged.
    document.querySelector(".asking").append(this.form);
    this.form.hidden = false;
  }

  close() {
    if (!this.isOpen) return;
    this.form.hidden = true;
    document.body.append(this.form);
    this.told.closed();
  }

  // Takes a key press while the panel is open; true when it was the panel's.
  key(event) {
    if (event.target !== this.area) return this.otherKey(event);
    if (event.key === "Escape") this.leaveArea();
    else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) this.confirm();
    else return true; // it is typed
    event.preventDefault();
    return true;
  }
}

// Number keys choose reasons, Enter or the key of "reject" confirms.
export class Reasons extends Panel {
  constructor(form) {
    super(form);
    this.problem = form.querySelector(".problem");
    this.buttons = [...form.querySelectorAll("[data-reason]")];
    form.addEventListener("click", (event) => {
      const button = event.target.closest("[data-reason]");
      if (button) this.toggle(button);
    });
    this.area.addEventListener("input", () => !isEmpty(this.area.value) && this.press("other", true));
  }

  // `isSuggested`: the reasons are what the scores say, not what the person said before. The first
  // number or click then begins the person's own choice.
  open(rationale, { reasons, comment, isSuggested = false }, told) {
    this.isSuggested = isSuggested && reasons.length > 0;
    this.form.querySelector(".suggested").hidden = !this.isSuggested;
    for (const button of this.buttons) button.setAttribute("aria-pressed", String(reasons.includes(button.dataset.reason)));
    this.problem.hidden = true;
    this.show(rationale, comment, told);
  }

  press(reason, on) {
    this.buttons.find((one) => one.dataset.reason === reason).setAttribute("aria-pressed", String(on));
  }

  toggle(button) {
    if (this.isSuggested) for (const one of this.buttons) one.setAttribute("aria-pressed", "false");
    this.isSuggested = false;
    this.form.querySelector(".suggested").hidden = true;
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    this.problem.hidden = true;
    if (button.dataset.reason === "other" && on) this.area.focus();
  }

  confirm() {
    const chosen = this.buttons.filter((one) => one.getAttribute("aria-pressed") === "true").map((one) => one.dataset.reason);
    const comment = clean(this.area.value);
    if (!chosen.length) return this.say("Say why: choose at least one reason.");
    if (chosen.includes("other") && !comment) {
      this.area.focus();
      return this.say("Say it in your own words.");
    }
    const { done } = this.told;
    this.close();
    done(chosen, comment);
  }

  say(text) {
    this.problem.textContent = text;
    this.problem.hidden = false;
  }

  leaveArea() {
    this.area.blur();
  }

  otherKey(event) {
    const number = digitOf(event);
    const onButton = event.target instanceof HTMLButtonElement;
    if (number && this.buttons[number - 1]) this.toggle(this.buttons[number - 1]);
    else if (event.key === "Escape") this.close();
    else if (onButton && (event.key === "Enter" || event.key === " ")) return true;
    else if ((event.key === "Enter" || isKeyOf(event, "reject")) && !event.repeat) this.confirm();
    else if (event.key === "Tab" || event.ctrlKey || event.metaKey) return true;
    else return event.key.length === 1; // other letters mean nothing while the panel asks
    event.preventDefault();
    return true;
  }
}

export class Comment extends Panel {
  open(rationale, text, told) {
    this.show(rationale, text, told);
    this.area.focus();
    this.area.setSelectionRange(text.length, text.length);
  }

  confirm() {
    const { done } = this.told;
    const text = clean(this.area.value);
    this.close();
    done(text);
  }

  leaveArea() {
    this.close();
  }

  otherKey(event) {
    if (event.key === "Escape") this.close();
    else return event.target instanceof HTMLButtonElement;
    event.preventDefault();
    return true;
  }
}
