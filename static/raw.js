// "Copy" below a raw text: what is copied is the text as it is stored.

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy-raw]");
  if (!button) return;
  const area = button.closest(".raw").querySelector("textarea");
  area.select();
  try {
    await navigator.clipboard.writeText(area.value);
    button.textContent = "Copied";
  } catch {
    // Not allowed here: it is selected, and the keys of the system copy it.
  }
});
