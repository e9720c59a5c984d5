// Where a person was in each rationale: kept across moves, reloads and undo, of the last questions.

import { idOf, root, table } from "../table.js";
import { showsThought, textOf, unfoldThought } from "./text.js";

const KEY = `chainwright:places:${root.dataset.user}:${root.dataset.project}`;
const MOST = 30; // questions
const PAUSE = 250;

const under = document.querySelector(".under"); // the bar, and what is asked above it

let all = read();
let timer;

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}

const placesOf = (item) => (all[item] ??= { at: 0, of: {} });

// What scrolls: the rationale's own box, or on a narrow page the page.
export function scrollerOf(rationale) {
  const body = rationale.querySelector(".body");
  return getComputedStyle(body).overflowY === "visible" ? document.scrollingElement : body;
}

const isPage = (scroller) => scroller === document.scrollingElement;
export const edgesOf = (scroller) => (isPage(scroller) ? { top: 60, bottom: under.getBoundingClientRect().top } : scroller.getBoundingClientRect());

// The rows that can be read now, from the first whole one on.
export function visibleRows(rationale) {
  const { top, bottom } = edgesOf(scrollerOf(rationale));
  return textOf(rationale).near().filter((row) => {
    const box = row.getBoundingClientRect();
    return box.height > 0 && box.bottom > top + 2 && box.top < bottom - 2;
  });
}

export function isVisible(row) {
  const rationale = row.closest(".rationale");
  const { top, bottom } = edgesOf(scrollerOf(rationale));
  const box = row.getBoundingClientRect();
  return box.height > 0 && box.top < bottom - 4 && box.bottom > top + 4;
}

export function bringIntoView(row, { share = null } = {}) {
  const rationale = row.closest(".rationale");
  const scroller = scrollerOf(rationale);
  const { top, bottom } = edgesOf(scroller);
  const box = row.getBoundingClientRect();
  if (share === null) {
    if (box.top < top) scroller.scrollTop += box.top - top;
    else if (box.bottom > bottom) scroller.scrollTop += Math.min(box.bottom - bottom, box.top - top);
  } else {
    scroller.scrollTop += box.top - top - share * (bottom - top);
  }
}

export function note(rationale) {
  clearTimeout(timer);
  const { item } = table.state;
  timer = setTimeout(() => {
    if (!rationale?.isConnected || table.state.item !== item || item === null) return;
    const first = visibleRows(rationale)[0];
    if (!first) return;
    const { top } = edgesOf(scrollerOf(rationale));
    const places = placesOf(item);
    places.at = Date.now();
    places.of[idOf(rationale)] = {
      step: rationale === table.current ? table.step : 0,
      first: Number(first.dataset.step),
      off: Math.round(first.getBoundingClientRect().top - top),
      open: showsThought(rationale),
    };
    const old = Object.keys(all).sort((a, b) => all[b].at - all[a].at).slice(MOST);
    for (const one of old) delete all[one];
    try {
      localStorage.setItem(KEY, JSON.stringify(all));
    } catch {
      // Full or forbidden: known while this page lives.
    }
  }, PAUSE);
}

// The step under the cursor when the person left; the text stands again as it stood.
export async function restore(rationale) {
  const place = all[table.state.item]?.of[idOf(rationale)];
  if (!place) return 0;
  const text = textOf(rationale);
  if (place.open && text.thought) unfoldThought(rationale);
  if (!text.partOf(place.first) || text.isFolded(place.first)) return place.step;
  const shown = text.show(place.first);
  const row = shown instanceof Promise ? await shown.catch(() => null) : shown;
  if (!row || table.current !== rationale) return place.step;
  const scroller = scrollerOf(rationale);
  if (!isPage(scroller)) scroller.scrollTop += row.getBoundingClientRect().top - edgesOf(scroller).top - place.off;
  return place.step;
}
