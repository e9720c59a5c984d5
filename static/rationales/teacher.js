// Fields that only one kind of teacher needs are folded for the others.

const backend = document.querySelector("select[name=backend]");
const show = () => {
  for (const part of document.querySelectorAll("[data-for]")) {
    part.hidden = part.dataset.for !== backend.value;
  }
};
backend.addEventListener("change", show);
show();
