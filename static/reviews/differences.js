// Shows in the rationale under the cursor what differs from another one: words that are new, words that are
// gone, steps that are the same dimmed. The other is the one that the person chose, the one marked as
// the best, or the one that stands first.

import { diffWords, pairSteps } from "./diff.js";
import { textOf } from "./long/text.js";
import { whenMoved } from "./moving.js";
import { make, notice, say } from "./page.js";
import { idOf, isOwn, isSeen, letterOf, table, whenBegun } from "./table.js";
import { keysOf, mark, pieces, wordsOf } from "./words.js";

const OWN = "Your own rationale is not compared with the others: move to one of them.";

let on = false;
let chosen = null;

whenBegun(() => ((chosen = null), (on = false)));
whenMoved(() => on && draw());

function base() {
  const seen = table.rationales.filter((one) => isSeen(one) && !isOwn(one));
  return chosen ?? seen.find((one) => idOf(one) === table.draft.best) ?? seen[0];
}

export function turn() {
  on = !on;
  wipe();
  if (!on) return say("Differences are off.");
  draw();
}

export function compareWith() {
  if (isOwn(table.current)) return notice(OWN);
  chosen = table.current;
  on = true;
  draw();
}

// Puts every rationale back as it was.
function wipe() {
  for (const rationale of table.rationales) {
    rationale.classList.remove("compared", "base");
    for (const row of rationale.querySelectorAll(".step.missing")) row.remove();
    for (const row of rationale.querySelectorAll(".step.same")) row.classList.remove("same");
    for (const text of rationale.querySelectorAll(".text")) {
      if (text.before_) text.replaceChildren(...text.before_);
      delete text.before_;
    }
  }
}

function draw() {
  wipe();
  const [from, to] = [base(), table.current];
  if (!from) return;
  if (isOwn(to)) return notice(OWN);
  if ([from, to].some((one) => textOf(one).isLong)) return notice("Differences are shown between rationales that are on the page as a whole: one of these is too long.");
  from.classList.add("base");
  if (from === to) {
    notice(`The others are compared with ${letterOf(from)}: move to one of them.`);
    return;
  }
  to.classList.add("compared");
  const [left, right] = [steps(from), steps(to)];
  let [same, other] = [0, 0];
  let after = null;
  const list = to.querySelector(".steps");
  for (const [i, j] of pairSteps(left.map(wordsIn), right.map(wordsIn))) {
    if (j === null) {
      after = place(list, after, missing(left[i]));
      other += 1;
      continue;
    }
    const row = right[j].row;
    after = row;
    const changes = i === null ? null : diffWords(wordsIn(left[i]), wordsIn(right[j]));
    if (changes?.every(([kind]) => kind === "same")) {
      row.classList.add("same");
      same += 1;
      continue;
    }
    other += 1;
    const text = row.querySelector(".text");
    text.before_ = [...text.childNodes];
    text.replaceChildren(...(changes ? pieces(changes, left[i].words, right[j].words) : [mark("ins", right[j].words)]));
  }
  const told = `${letterOf(to)} against ${letterOf(from)}: ${other} step${other === 1 ? "" : "s"} differ${other === 1 ? "s" : ""}, ${same} the same.`;
  notice(told);
  say(told);
}

function place(list, after, row) {
  if (after) after.after(row);
  else list.prepend(row);
  return row;
}

function missing(step) {
  const row = make("li", { className: "step missing" });
  const says = make("div", { className: "says" });
  says.append(mark("del", step.words));
  row.append(make("span"), says);
  return row;
}

const wordsIn = (step) => keysOf(step.words);

// The steps of a rationale as words; a formula is one word, calculator marks and cut-off notes are none.
function steps(rationale) {
  return [...rationale.querySelectorAll("[data-step]")].map((row) => {
    const words = [];
    for (const node of row.querySelector(".text").childNodes) wordsOf(node, words);
    return { row, words };
  });
}
