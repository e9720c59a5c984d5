// Fields that only an address needs are folded for a model on the worker.

const backend = document.querySelector("select[name=backend]");
const show = () => {
  for (const part of document.querySelectorAll(".address")) part.hidden = backend.value !== "openai";
};
backend.addEventListener("change", show);
show();
