// The small panel that asks why a chain is rejected. Number keys choose, Enter or x confirms.

import { digitOf } from "./keys.js";

export class Reasons {
  constructor(form) {
    this.form = form;
    this.area = form.querySelector("textarea");
    this.problem = form.querySelector(".problem");
    this.buttons = [...form.querySelectorAll("[data-reason]")];
    this.words = Object.fromEntries(
      this.buttons.map((one) => [one.dataset.reason, one.textContent.replace(/^\s*\d+\s*/, "").trim()]),
    );
    form.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      // A click of the mouse leaves no focus behind, so that Enter stays "confirm".
      if (button && event.detail > 0) button.blur();
      if (button?.dataset.reason) this.toggle(button);
      else if (button?.hasAttribute("data-reasons-close")) this.close();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.confirm();
    });
    this.area.addEventListener("input", () => {
      this.told?.typed(this.area.value);
      if (this.area.value.trim()) this.press("other", true);
    });
  }

  get isOpen() {
    return !this.form.hidden;
  }

  // `told`: {typed(comment), done(reasons, comment), closed()}
  open(chain, { reasons, comment }, told) {
    this.told = told;
    chain.querySelector(".final").before(this.form);
    for (const button of this.buttons) button.setAttribute("aria-pressed", String(reasons.includes(button.dataset.reason)));
    this.area.value = comment;
    if (comment.trim()) this.press("other", true);
    this.problem.hidden = true;
    this.form.hidden = false;
    this.form.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  close() {
    if (!this.isOpen) return;
    this.form.hidden = true;
    document.body.append(this.form);
    this.told.closed();
  }

  press(reason, on) {
    this.buttons.find((one) => one.dataset.reason === reason).setAttribute("aria-pressed", String(on));
  }

  toggle(button) {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    this.problem.hidden = true;
    if (button.dataset.reason === "other" && on) this.area.focus();
  }

  confirm() {
    const chosen = this.buttons.filter((one) => one.getAttribute("aria-pressed") === "true").map((one) => one.dataset.reason);
    const comment = this.area.value.trim();
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

  // Takes a key press while the panel is open; true when it was the panel's.
  key(event) {
    if (event.target === this.area) {
      if (event.key === "Escape") this.area.blur();
      else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) this.confirm();
      else return true; // it is typed
      event.preventDefault();
      return true;
    }
    const number = digitOf(event);
    if (number && this.buttons[number - 1]) this.toggle(this.buttons[number - 1]);
    else if (event.key === "Escape") this.close();
    else if (event.key === "Enter" && event.target instanceof HTMLButtonElement) return true;
    else if ((event.key === "Enter" || event.key.toLowerCase() === "x") && !event.repeat) this.confirm();
    else if (event.key === "Tab" || event.ctrlKey || event.metaKey) return true;
    else if (event.key === " " && event.target instanceof HTMLButtonElement) return true;
    else return event.key.length === 1; // other letters mean nothing while the panel asks
    event.preventDefault();
    return true;
  }
}
