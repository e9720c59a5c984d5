// The small bars below the text: to a step by its number, and the search inside the rationale. They take
// their room from below, so that nothing is covered.

import { addPanel, closePanels, notice } from "../page.js";
import { letterOf, table } from "../table.js";
import { isKeyOf } from "../keys.js";
import { firstWrong } from "./labels.js";
import { bringIntoView } from "./places.js";
import { goTo } from "./reading.js";
import { textOf } from "./text.js";

class Bar {
  constructor(id) {
    this.form = document.getElementById(id);
    this.field = this.form.querySelector("input");
    this.told = this.form.querySelector(".told");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.confirm();
    });
    this.form.addEventListener("click", (event) => event.target.closest("[data-panel-close]") && this.close());
    this.form.addEventListener("keydown", (event) => {
      if (event.isComposing || !this.key_(event)) return;
      event.preventDefault();
      event.stopPropagation();
    });
    addPanel(this);
  }

  get isOpen() {
    return !this.form.hidden;
  }

  open() {
    closePanels();
    this.form.hidden = false;
    this.tell("");
    this.field.select();
    this.field.focus();
  }

  close() {
    if (!this.isOpen) return;
    this.form.hidden = true;
    table.current?.focus({ preventScroll: true });
  }

  tell(text) {
    this.told.textContent = text;
  }

  // Keys that are pressed outside of the bar are the bench's.
  key(event) {
    if (event.key !== "Escape" || this.form.contains(event.target)) return false;
    this.close();
    event.preventDefault();
    return true;
  }
}

// ---- a step by its number; the key of "first wrong step" goes there and marks it

class Goto extends Bar {
  open() {
    const { total } = textOf(table.current);
    if (!total) return notice(`${letterOf(table.current)} has no steps.`);
    this.field.value = "";
    super.open();
    this.tell(`of ${total.toLocaleString("en")}`);
  }

  get number() {
    return /^\d{1,6}$/.test(this.field.value.trim()) ? Number(this.field.value) : 0;
  }

  key_(event) {
    if (event.key === "Escape") this.close();
    else if (isKeyOf(event, "first_wrong")) this.confirm(firstWrong);
    else return false;
    return true;
  }

  async confirm(then = null) {
    const { number } = this;
    if (!textOf(table.current).partOf(number)) return this.tell(`has the steps 1 to ${textOf(table.current).total.toLocaleString("en")}`);
    this.close();
    if (await goTo(number)) then?.(number);
  }
}

// ---- the search

const MARKS = typeof Highlight === "function" && CSS.highlights;

class Find extends Bar {
  constructor(id) {
    super(id);
    this.found = [];
    this.at = -1;
    this.field.addEventListener("input", () => this.search());
  }

  open() {
    super.open();
    if (this.field.value) this.search();
    textOf(table.current).words().catch(() => {});
  }

  close() {
    super.close();
    MARKS && CSS.highlights.delete("found");
  }

  key_(event) {
    if (event.key === "Escape") this.close();
    else if (event.key === "Enter") this.step(event.shiftKey ? -1 : 1);
    else return false;
    return true;
  }

  confirm() {
    this.step(1);
  }

  // All places in reading order, as [step, nth in the step].
  async search() {
    const looked = this.field.value.trim().toLowerCase();
    const rationale = table.current;
    this.looked = looked;
    [this.found, this.at] = [[], -1];
    if (!looked) return this.tell("");
    const text = textOf(rationale);
    let words;
    try {
      words = await text.words();
    } catch {
      return this.tell("The text did not come whole: there is no connection now.");
    }
    if (this.looked !== looked || table.current !== rationale) return;
    const found = [];
    for (let index = 0; index < text.total; index += 1) {
      const number = text.numberAt(index);
      const line = (words.get(number) ?? "").toLowerCase();
      for (let at = line.indexOf(looked), nth = 0; at >= 0; at = line.indexOf(looked, at + looked.length), nth += 1) found.push([number, nth]);
    }
    this.found = found;
    this.tell(this.found.length ? `${this.found.length.toLocaleString("en")} found` : "not found");
    this.mark();
  }

  async step(way) {
    if (this.looked !== this.field.value.trim().toLowerCase()) await this.search();
    if (!this.found.length) return;
    const text = textOf(table.current);
    if (this.at < 0) {
      const here = table.step ? text.indexOf(table.step) : 0;
      const ahead = this.found.findIndex(([number]) => text.indexOf(number) >= here);
      this.at = way > 0 ? Math.max(0, ahead) : (ahead <= 0 ? this.found.length : ahead) - 1;
    } else this.at = (this.at + way + this.found.length) % this.found.length;
    const [number] = this.found[this.at];
    const row = await goTo(number);
    if (!row) return;
    bringIntoView(row, { share: 0.3 });
    this.tell(`${this.at + 1} of ${this.found.length.toLocaleString("en")}, step ${number}`);
    this.mark();
    this.field.focus();
  }

  // What is drawn is marked, without a change of the page's elements.
  mark() {
    if (!MARKS) return;
    const ranges = [];
    for (const row of textOf(table.current).near()) {
      const walker = document.createTreeWalker(row.querySelector(".text"), NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const line = node.data.toLowerCase();
        for (let at = line.indexOf(this.looked); at >= 0 && this.looked; at = line.indexOf(this.looked, at + this.looked.length)) {
          const range = new Range();
          range.setStart(node, at);
          range.setEnd(node, Math.min(node.length, at + this.looked.length));
          ranges.push(range);
        }
      }
    }
    CSS.highlights.set("found", new Highlight(...ranges));
  }
}

const going = new Goto("goto");
const finding = new Find("find");
export const openGoto = () => going.open();
export const openFind = () => finding.open();
