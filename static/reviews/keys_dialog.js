// The dialog of keys: what each does, and other keys for those who want them.

import { keyTable, nameOf, setKeys, sign } from "./keys.js";
import { make } from "./page.js";
import { Problem, ask } from "./server.js";

export class KeysDialog {
  constructor(dialog, { url, csrf }) {
    Object.assign(this, { dialog, url, csrf, changing: false, waits: null });
    this.list = dialog.querySelector(".keys");
    this.told = dialog.querySelector(".told");
    this.change = dialog.querySelector("[data-keys-change]");
    this.reset = dialog.querySelector("[data-keys-reset]");
    this.change.addEventListener("click", () => this.turn(!this.changing));
    this.reset.addEventListener("click", () => this.send({ reset: true }, "All keys are as they came."));
    this.list.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-act]");
      if (button) this.await(button);
    });
    // Before anything else hears it: the press is the key that is being chosen.
    dialog.addEventListener("keydown", (event) => this.waits && this.take(event), { capture: true });
    dialog.addEventListener("cancel", (event) => this.waits && event.preventDefault());
    dialog.addEventListener("close", () => this.turn(false));
    this.fill();
  }

  turn(on) {
    this.changing = on;
    this.waits = null;
    this.tell("");
    this.fill();
  }

  fill() {
    const groups = new Map();
    for (const row of keyTable()) groups.set(row.group, [...(groups.get(row.group) ?? []), row]);
    const parts = [...groups].map(([name, rows]) => {
      const list = make("dl");
      for (const row of rows) list.append(this.keysOf(row), make("dd", { textContent: row.what }));
      const part = make("section");
      part.append(make("h3", { textContent: name }), list);
      return part;
    });
    this.list.replaceChildren(...parts);
    this.list.classList.toggle("changing", this.changing);
    this.change.textContent = this.changing ? "Done" : "Change keys";
    this.reset.hidden = !this.changing || !keyTable().some((row) => row.own);
  }

  keysOf(row) {
    const place = make("dt");
    const signs = row.keys.map((key) => make("kbd", { textContent: sign(key) }));
    if (this.changing && !row.fixed) {
      const button = make("button", { type: "button" });
      button.dataset.act = row.name;
      button.setAttribute("aria-label", `${row.what}: ${row.keys.map(sign).join(", ") || "no key"}. Change`);
      button.append(...(signs.length ? signs : ["none"]));
      place.append(button);
    } else {
      place.append(...signs.flatMap((kbd) => [kbd, " "]));
    }
    return place;
  }

  await(button) {
    for (const one of this.list.querySelectorAll(".waits")) one.classList.remove("waits");
    this.waits = button.dataset.act;
    button.classList.add("waits");
    button.textContent = "press a key";
    this.tell("Press the key that it shall have. Esc leaves it as it is.");
  }

  async take(event) {
    if (["Shift", "Control", "Alt", "Meta", "Tab"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    const act = this.waits;
    this.waits = null;
    if (event.key === "Escape" || event.ctrlKey || event.metaKey || event.altKey) {
      this.tell(event.key === "Escape" ? "" : "Keys with Ctrl or Alt belong to the browser.");
      this.fill();
    } else {
      await this.send({ action: act, keys: [nameOf(event)] }, "Saved; it is yours on every machine.");
    }
    if (this.swap?.isConnected) this.swap.focus();
    else this.list.querySelector(`[data-act="${act}"]`)?.focus();
  }

  async send(body, done) {
    this.swap?.remove();
    try {
      const { keys } = await ask(this.url, { body, csrf: this.csrf, retry: false });
      setKeys(keys);
      this.tell(done);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      this.tell(problem.message, true);
      if (problem.more.swap) this.offer(body);
    }
    this.fill();
  }

  // Two actions that should have each other's key.
  offer(body) {
    this.swap = make("button", { type: "button", textContent: "Swap the two" });
    this.swap.addEventListener("click", () => this.send({ ...body, swap: true }, "Swapped; both are yours on every machine."));
    this.told.append(" ", this.swap);
  }

  tell(text, bad = false) {
    this.told.textContent = text;
    this.told.classList.toggle("bad", bad);
  }
}
