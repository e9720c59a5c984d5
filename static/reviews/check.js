// What the scorers say of a text while it is written: asked for by a key or a button, and by itself a
// moment after typing stops. A worker answers; nothing of it is kept as a rationale.

import { clean } from "../clean.js";
import { make } from "./page.js";
import { Problem, ask } from "./server.js";

const STILL = 1000; // so long after the last key the text counts as standing
const LOOKS = [150, 250, 350, 500, 750, 1000]; // between two looks for the answer
export const CHECK_KEY = "Alt ⏎";

export const isCheckKey = (event) => event.key === "Enter" && event.altKey && !event.ctrlKey && !event.metaKey;

const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const hundred = (value) => Math.round(100 * value);

// `area`: the textarea; `place`: an element to say it in; `hidesGrade()`: whether the reference, which the
// grade would give away, is to stay hidden.
export class Check {
  constructor(area, place, { url, csrf, item, hidesGrade = () => false }) {
    Object.assign(this, { area, place, url, csrf, item, hidesGrade, said: null, turn: 0 });
    place.classList.add("scored");
    place.setAttribute("role", "status");
    place.setAttribute("aria-label", "What the scorers say");
    area.addEventListener("input", () => this.wake());
  }

  get text() {
    return clean(this.area.value);
  }

  wake() {
    clearTimeout(this.timer);
    this.place.classList.toggle("old", this.text !== this.said);
    if (this.text && this.text !== this.said) this.timer = setTimeout(() => this.run(), STILL);
  }

  // The answer to an older text is dropped: `turn` counts what was asked.
  async run() {
    clearTimeout(this.timer);
    const { text } = this;
    if (!text) return this.tell("There is no text to check yet.");
    const turn = (this.turn += 1);
    const tell = (...what) => turn === this.turn && this.area.isConnected && this.tell(...what);
    if (!this.place.childElementCount) tell("Checking …");
    this.place.setAttribute("aria-busy", "true");
    try {
      let answer = await this.post({ item: this.item, text });
      for (let look = 0; answer.waits && turn === this.turn && this.area.isConnected; look += 1) {
        if (!answer.listens) {
          return tell("No worker listens, so nothing is checked now. Your text is kept, and is graded when one does, after you have sent it.");
        }
        if (look === 6) tell("Checking; the worker is busy …");
        await wait(LOOKS[Math.min(look, LOOKS.length - 1)]);
        answer = await this.post({ check: answer.check });
      }
      if (turn !== this.turn) return;
      this.said = text;
      if (answer.told) this.show(answer.told);
      else tell(answer.error || "No worker came to it in time. Check again, or send it: it is graded then.");
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      tell(problem.status ? problem.message : "There is no connection now, so nothing is checked. Your text is kept.");
    } finally {
      if (turn === this.turn) this.place.removeAttribute("aria-busy");
    }
  }

  post(body) {
    return ask(this.url, { body, csrf: this.csrf, retry: false });
  }

  tell(text) {
    this.place.replaceChildren(make("p", { className: "label", textContent: text }));
    this.place.classList.remove("old");
  }

  show({ grade, words, why, answer, sums: [right, checked], validity, structure, flags }) {
    const line = make("p", { className: "graded" });
    const hidden = this.hidesGrade();
    if (hidden) line.append(make("span", { className: "chip", textContent: "graded when the reference is shown" }));
    else {
      const look = { right: "good", wrong: "bad" }[grade] ?? "warn";
      const sign = { right: "✓ ", wrong: "✕ " }[grade] ?? "";
      line.append(make("span", { className: `chip ${look}`, textContent: sign + words, title: why }));
    }
    const parts = [answer === null ? "no answer read" : `answer ${answer}`];
    if (checked) parts.push(right === checked ? `${checked} sum${checked === 1 ? "" : "s"} right` : `${right} of ${checked} sums right`);
    if (validity !== null) parts.push(`valid ${hundred(validity)}`);
    parts.push(`structure ${hundred(structure)}`);
    line.append(make("span", { className: "label num", textContent: parts.join(" · ") }));
    const list = make("ul");
    for (const { step, message, severity } of flags) {
      list.append(make("li", { className: `flag ${severity}`, textContent: step ? `Step ${step}: ${message}` : message }));
    }
    this.place.replaceChildren(line, ...(flags.length ? [list] : []));
    this.place.classList.toggle("old", this.text !== this.said);
  }
}
