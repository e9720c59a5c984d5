// Every <time> in the reader's own time zone, with its name. What the server wrote (in the zone of the
// installation) says how much is shown: a time alone, a day and a time, seconds. A day without a time, and
// words such as "3 minutes ago", stay; the whole moment is their tooltip.

const CLOCK = /\b\d{1,2}:\d{2}(:\d{2})?\b/;
const all = new Intl.DateTimeFormat(undefined, { dateStyle: "long", timeStyle: "long" });

export function clockOf(at, { day = false, year = false, seconds = false } = {}) {
  return new Intl.DateTimeFormat(undefined, {
    ...(day && { day: "numeric", month: "short" }),
    ...(year && { year: "numeric" }),
    hour: "2-digit", minute: "2-digit", ...(seconds && { second: "2-digit" }),
    hourCycle: "h23", timeZoneName: "short",
  }).format(at);
}

export function show(one) {
  const at = new Date(one.dateTime);
  if (Number.isNaN(at.getTime())) return;
  if (one.title !== all.format(at)) one.title = all.format(at);
  const said = (one.dataset.said ??= one.textContent);
  const clock = CLOCK.exec(said);
  if (!clock) return;
  const today = at.toDateString() === new Date().toDateString();
  const text = clockOf(at, {
    day: /[A-Za-z]{3}/.test(said.replace(/[A-Z+\-\d:]{2,}$/, "")) || (one.hasAttribute("data-clock") && !today),
    year: /\b\d{4}\b/.test(said),
    seconds: Boolean(clock[1]),
  });
  if (one.textContent !== text) one.textContent = text;
}

export function showTimes(part) {
  if (part.matches?.("time[datetime]")) show(part);
  for (const one of part.querySelectorAll?.("time[datetime]") ?? []) show(one);
}

showTimes(document);
new MutationObserver((changes) => {
  for (const change of changes) change.addedNodes.forEach(showTimes);
}).observe(document.body, { subtree: true, childList: true });
