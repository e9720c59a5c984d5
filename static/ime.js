// Enter that ends a composition (Chinese, Japanese, Korean and others are typed so) confirms the word, and
// nothing else: no key handler of ours hears it, and it sends no form. Chromium and Firefox say so by
// isComposing; Safari ends the composition first and then sends the key with the code 229.

const composes = (event) => event.isComposing || event.keyCode === 229;

for (const name of ["keydown", "keypress", "keyup"]) {
  window.addEventListener(name, (event) => {
    if (!composes(event)) return;
    event.stopImmediatePropagation();
    // The text field has the word by now: what is left of the key would be "send this form".
    if (event.key === "Enter" && !event.isComposing && event.target.matches?.("input")) event.preventDefault();
  }, { capture: true });
}
