// The order form: it asks how many rationales it means while it is filled in, and is sent plainly.

const form = document.querySelector("form[data-order]");
if (form) {
  const limit = form.querySelector(".limit");
  const which = form.querySelector("[name=which]");
  const show = () => (limit.hidden = which.value !== "first");
  which.addEventListener("change", show);
  show();
  // Of the prompt styles, the chosen one is explained.
  const style = form.querySelector("[name=prompt_style]");
  const explain = () => {
    for (const one of form.querySelectorAll("[data-style]")) {
      one.hidden = one.dataset.style !== style.value;
    }
  };
  style.addEventListener("change", explain);
  explain();
  // htmx hears changes only; the press of the button is a plain submit, once.
  let sent = false;
  form.addEventListener("submit", (event) => {
    if (sent) event.preventDefault();
    sent = true;
    form.querySelector("button.primary").setAttribute("aria-busy", "true");
  });
  window.addEventListener("pageshow", () => {
    sent = false;
    form.querySelector("button.primary").removeAttribute("aria-busy");
  });
}
