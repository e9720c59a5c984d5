// The import form: a file can be dropped; its name, size and first line show before it is sent.

const drop = document.getElementById("drop");
const input = drop.querySelector("input[type=file]");
const preset = document.querySelector("select[name=preset]");

function size(bytes) {
  if (bytes < 1024) return `${bytes} bytes`;
  const step = Math.min(3, Math.floor(Math.log(bytes) / Math.log(1024)));
  return `${(bytes / 1024 ** step).toFixed(1)} ${["", "KB", "MB", "GB"][step]}`;
}

async function peek() {
  const file = input.files[0];
  const pre = document.getElementById("peek");
  document.getElementById("chosen").textContent = file ? `${file.name}, ${size(file.size)}. Its first line:` : "";
  pre.hidden = !file;
  if (file) pre.textContent = (await file.slice(0, 4096).text()).split("\n", 1)[0].slice(0, 600) || "(empty)";
}

for (const name of ["dragenter", "dragover"]) {
  drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  if (event.dataTransfer.files.length) {
    input.files = event.dataTransfer.files;
    peek();
  }
});
input.addEventListener("change", peek);
preset.addEventListener("change", () => {
  const shown = document.querySelector(`.sample[data-preset="${CSS.escape(preset.value || "chainwright")}"]`);
  if (shown) shown.open = true;
});
