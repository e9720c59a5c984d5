// The log opens at its end and follows it, unless somebody has scrolled up to read.
let follows = true, top = 0;
const log = () => document.querySelector("[data-log]");
const atEnd = (pre) => pre.scrollHeight - pre.scrollTop - pre.clientHeight < 40;

function place() {
  const pre = log();
  if (pre) pre.scrollTop = follows ? pre.scrollHeight : top;
}
document.addEventListener("htmx:beforeSwap", () => {
  const pre = log();
  if (pre) [follows, top] = [atEnd(pre), pre.scrollTop];
});
document.addEventListener("htmx:afterSwap", place);
place();
