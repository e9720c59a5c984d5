// The answer that the scorers misread, as the person reads it: told to the server at once, since it is no
// decision on the rationale. Its grade changes where it stands.

import { Ask } from "./asks.js";
import { notice, say } from "./page.js";
import { box, hidesReference, letterOf, root, table } from "./table.js";

const LOOKS = { right: ["good", "✓ "], wrong: ["bad", "✕ "], not_read: ["warn", "? "] };
const plain = (text) => text.toLowerCase().replace(/[\s$.,]+/g, "");

export function readDialog({ post }) {
  const ask = new Ask("read", "read", read);
  const now = ask.dialog.querySelector("[data-read-now]");
  let rationale = null;

  ask.open = () => {
    rationale = table.current;
    if (!rationale?.querySelector("[data-grade-chip]") || rationale.dataset.grade === "unscored") {
      return notice("The scorers have not read this rationale yet.");
    }
    if (hidesReference()) return notice("Whether an answer is right shows with the reference: ask for that first.");
    ask.dialog.querySelector("[data-letter]").textContent = letterOf(rationale);
    now.textContent = rationale.dataset.answer || "nothing";
    ask.area.value = rationale.dataset.answer ?? "";
    for (const one of ask.choices) one.setAttribute("aria-pressed", "false");
    ask.problem.hidden = true;
    ask.dialog.showModal();
    ask.area.focus();
    ask.area.select();
    suggest();
  };
  ask.keep = () => {}; // nothing of it waits: it is sent at once
  ask.forget = () => ask.dialog.close();

  // What equals the reference is right, and anything else wrong, until the person says otherwise.
  const reference = () => box.querySelector(".ask .answer b")?.textContent ?? "";
  function suggest() {
    const typed = ask.area.value.trim();
    const like = typed ? (plain(typed) === plain(reference()) ? "right" : "wrong") : "none";
    for (const one of ask.choices) one.setAttribute("aria-pressed", String(one.dataset.choice === like));
  }
  ask.area.addEventListener("input", suggest);

  async function read({ choice }) {
    const answer = choice === "none" ? "" : ask.area.value.trim();
    if (!choice) return ask.refuse("Say whether it is right.");
    if (choice !== "none" && !answer) return ask.refuse("Type the answer that the rationale gives.");
    const { item } = table.state;
    const about = rationale;
    try {
      const told = await post(root.dataset.read, { rationale: Number(about.dataset.rationale), answer, said: choice });
      ask.dialog.close();
      if (table.state.item === item) show(about, told);
    } catch (problem) {
      if (problem.status === undefined) throw problem;
      if (ask.dialog.open) ask.refuse(problem.message);
      else notice(problem.message);
    }
  }

  function show(about, { grade, words, why, answer, suggest: reasons }) {
    const [look, sign] = LOOKS[grade] ?? ["warn", ""];
    const chip = about.querySelector("[data-grade-chip]");
    chip.className = `chip tells ${look}`;
    chip.textContent = sign + (grade === "not_read" ? "not read" : words);
    chip.title = why;
    about.dataset.grade = grade;
    about.dataset.answer = answer ?? "";
    about.dataset.suggest = reasons.join(" ");
    about.querySelector("[data-final]").textContent = answer ? `Answer ${answer}` : words.charAt(0).toUpperCase() + words.slice(1);
    about.setAttribute("aria-label", `Rationale ${letterOf(about)}, ${words}`);
    const what = answer ? `${letterOf(about)} is read as ${answer}: ${grade.replace("_", " ")}.` : `${letterOf(about)} is read as giving no answer.`;
    notice(`${what} The scorers have a case more.`);
    say(what);
  }

  return ask;
}
