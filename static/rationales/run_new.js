// The order form: it asks how many rationales it means while it is filled in, and is sent plainly.

const form = document.querySelector("form[data-order]");
if (form) {
  const limit = form.querySelector(".limit");
  const which = form.querySelector("[name=which]");
  const show = () => (limit.hidden = which.value !== "first");
  which.addEventListener("change", show);
  show();
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
