// The steps of a rationale by their numbers. Those of a long one are drawn part by part as they come into
// view; what is far away goes again, so that 10,000 steps cost no more than a hundred.

import { make } from "../page.js";
import { ask } from "../server.js";

const PART = 40; // as the server cuts them
const BLOCK = 25; // parts that are asked for together
const MOST_DRAWN = 20; // parts

const texts = new WeakMap();
let steps = ""; // where the steps are asked for
let painter = () => {};

export function setUp({ url, paint }) {
  steps = url;
  painter = paint;
}

export function textOf(rationale) {
  if (!texts.has(rationale)) texts.set(rationale, new Text(rationale));
  return texts.get(rationale);
}

// Reading order: the final part, then the thought before it.
function partsOf(total, thought) {
  const parts = [];
  for (const [start, end, isThought] of [[thought, total, false], [0, thought, true]]) {
    for (let at = start; at < end; at += PART) parts.push({ first: at + 1, last: Math.min(at + PART, end), isThought });
  }
  return parts;
}

class Text {
  constructor(rationale) {
    this.rationale = rationale;
    this.box = rationale.querySelector(".steps");
    this.body = rationale.querySelector(".body");
    const told = this.box?.dataset.outline;
    this.outline = told ? JSON.parse(told) : null;
    this.blocks = new Map();
    if (this.outline) this.cut();
    else this.count();
  }

  get isLong() {
    return this.outline !== null;
  }

  // A short one is whole in the page.
  count() {
    const rows = this.box ? [...this.box.querySelectorAll("[data-step]")] : [];
    this.total = rows.length;
    this.thought = rows.filter((row) => row.classList.contains("thought")).length;
    this.parts = this.total ? [{ first: 1, last: this.total, element: this.box, isDrawn: true, isSeen: true, isWhole: true }] : [];
    this.flags = new Map();
    this.doubts = new Set();
    for (const row of rows) {
      const number = Number(row.dataset.step);
      const worst = ["error:not(.idle)", "warning:not(.idle)", "flag:not(.changed-value)"].findIndex((one) => row.querySelector(`.flag.${one}`));
      if (worst >= 0) this.flags.set(number, ["error", "warning", "info"][worst]);
      if (row.classList.contains("doubt")) this.doubts.add(number);
    }
  }

  cut() {
    const { total, thought, flags, doubts, lengths } = this.outline;
    Object.assign(this, { total, thought, doubts: new Set(doubts), flags: new Map() });
    for (const [first, last, severity] of flags) for (let n = first; n <= last; n += 1) this.flags.set(n, severity);
    const there = [...this.box.querySelectorAll(".part")];
    this.parts = partsOf(total, thought).map((part, place) => {
      const element = there[place] ?? this.box.appendChild(make("ol", { className: "part" }));
      element.classList.toggle("thought", part.isThought);
      const isDrawn = place < there.length;
      return { ...part, place, element, isDrawn, isSeen: false, isWhole: isDrawn && !element.querySelector(".cut"), length: lengths[place] };
    });
    this.finals = this.parts.filter((part) => !part.isThought).length;
    this.guess();
    this.watch();
  }

  // How high a part will be, before it is drawn.
  guess() {
    const perLine = Math.max(20, ((this.body.clientWidth || 640) - 70) / 7.6);
    for (const part of this.parts) {
      const height = Math.round((part.length / perLine) * 24);
      part.element.style.containIntrinsicSize = `auto ${height}px`;
      if (!part.isDrawn) part.element.style.minHeight = `${height}px`;
    }
  }

  watch() {
    const margin = "900px 0px";
    const watcher = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        const part = this.parts.find((one) => one.element === target);
        part.isSeen = isIntersecting;
        if (isIntersecting && !part.isWhole) this.ensure(part).catch(() => {});
      }
      this.tidy();
    }, { rootMargin: margin, scrollMargin: margin });
    for (const part of this.parts) watcher.observe(part.element);
  }

  // ---- places

  indexOf(number) {
    return number > this.thought ? number - this.thought - 1 : this.total - this.thought + number - 1;
  }

  numberAt(index) {
    const finals = this.total - this.thought;
    return index < finals ? this.thought + index + 1 : index - finals + 1;
  }

  partOf(number) {
    if (!(number >= 1 && number <= this.total)) return undefined;
    if (!this.isLong) return this.parts[0];
    if (number > this.thought) return this.parts[Math.floor((number - this.thought - 1) / PART)];
    return this.parts[this.finals + Math.floor((number - 1) / PART)];
  }

  isFolded(number) {
    return number <= this.thought && !showsThought(this.rationale);
  }

  // The step's row, where it is drawn.
  row(number) {
    return this.partOf(number)?.element.querySelector(`[data-step="${number}"]`) ?? null;
  }

  // Rows that are drawn and near what is on the screen.
  near() {
    return this.parts.filter((part) => part.isDrawn && part.isSeen).flatMap((part) => [...part.element.querySelectorAll("[data-step]")]);
  }

  // ---- drawing

  // The step's row, drawn and unfolded; at once where its part is here, else when it has come.
  show(number) {
    const part = this.partOf(number);
    if (this.isFolded(number)) unfoldThought(this.rationale);
    if (part.isDrawn) return this.row(number);
    if (part.html === undefined) return this.ensure(part).then(() => this.row(number));
    this.draw(part);
    return this.row(number);
  }

  async ensure(part) {
    if (part.html === undefined) await this.fetch(Math.floor(part.place / BLOCK));
    this.draw(part);
  }

  draw(part) {
    if (part.isWhole || part.html === undefined) return;
    part.element.innerHTML = part.html;
    part.element.style.minHeight = "";
    part.isDrawn = part.isWhole = true;
    painter(this.rationale, part.element);
  }

  // Far parts go again; their height stays.
  tidy() {
    const drawn = this.parts.filter((part) => part.isDrawn);
    if (drawn.length <= MOST_DRAWN) return;
    for (const part of drawn) {
      if (part.isSeen || part.html === undefined || part.element.querySelector(".at, form")) continue;
      part.element.style.minHeight = `${part.element.offsetHeight}px`;
      part.element.replaceChildren();
      part.isDrawn = part.isWhole = false;
    }
  }

  fetch(block) {
    if (!this.blocks.has(block)) {
      const asked = this.ask({ block }).then(({ parts }) => {
        for (const [place, html] of parts.entries()) this.parts[block * BLOCK + place].html = html;
      });
      asked.catch(() => this.blocks.delete(block)); // asked for again when it is wanted again
      this.blocks.set(block, asked);
    }
    return this.blocks.get(block);
  }

  ask(what) {
    return ask(`${steps}?${new URLSearchParams({ rationale: this.rationale.dataset.rationale, ...what })}`, { retry: false });
  }

  // Everything, for those who go on reading or search in it.
  async load() {
    for (let block = 0; this.isLong && block * BLOCK < this.parts.length; block += 1) await this.fetch(block);
  }

  // ---- words, for the search

  words() {
    this.plain ??= this.readAll().catch((problem) => {
      this.plain = undefined; // tried again with the next search
      throw problem;
    });
    return this.plain;
  }

  async readAll() {
    await this.load();
    const found = new Map();
    const made = document.createElement("template");
    let until = performance.now() + 12;
    for (const part of this.parts) {
      if (this.isLong) made.innerHTML = part.html;
      for (const row of (this.isLong ? made.content : part.element).querySelectorAll("[data-step]")) {
        found.set(Number(row.dataset.step), row.querySelector(".text").textContent);
      }
      if (performance.now() > until) {
        await new Promise((done) => setTimeout(done));
        until = performance.now() + 12;
      }
    }
    return found;
  }
}

// ---- the fold of the thought

const bench = document.getElementById("bench");

export const showsThought = (rationale) => rationale.classList.contains("show-thoughts") || bench.classList.contains("show-calc");

export function unfoldThought(rationale, on = true) {
  rationale.classList.toggle("show-thoughts", on);
  rationale.querySelector(".fold button")?.setAttribute("aria-expanded", String(on));
}

const count = (number, one, many = `${one}s`) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;

// The line that the thought stands behind: how long it is, and what is inside.
export function foldThoughts(rationale) {
  const text = textOf(rationale);
  if (!text.thought) return;
  const inside = [count(text.thought, "step")];
  if (text.outline) inside[0] += `, ${count(text.outline.words[1], "word")}`;
  const flags = [...text.flags].filter(([n, severity]) => n <= text.thought && severity !== "info").length;
  const doubts = [...text.doubts].filter((n) => n <= text.thought).length;
  if (flags) inside.push(count(flags, "flag"));
  if (doubts) inside.push(count(doubts, "self-correction"));
  const row = make(text.isLong ? "div" : "li", { className: "step fold" });
  const toggle = make("button", { type: "button", className: "quiet", textContent: `Thought: ${inside.join(" · ")}` });
  toggle.setAttribute("aria-expanded", "false");
  toggle.addEventListener("click", () => unfoldThought(rationale, !rationale.classList.contains("show-thoughts")));
  row.append(toggle);
  if (text.isLong) text.parts[text.finals].element.before(row);
  else rationale.querySelector(".step.thought").before(row);
  // A thought that is all there is stands open.
  if (text.thought === text.total) unfoldThought(rationale);
}
