// What an admin has chosen and typed of a disagreement and not sent: kept in localStorage by person,
// project and question, so that it survives a crash, a lost network and a closed tab.

const KEPT_DAYS = 14;
const PREFIX = "adjudicate:";

export class CaseDraft {
  constructor(form) {
    const { user, project, question } = form.dataset;
    Object.assign(this, { form, key: `${PREFIX}${user}:${project}:${question}` });
  }

  keep() {
    const fields = {};
    for (const input of this.form.querySelectorAll("[data-dispute] :is(input, textarea)")) {
      if (input.type === "radio") {
        if (input.checked) fields[input.name] = input.value;
      } else if (input.type === "checkbox") (fields[input.name] ??= []).push(...(input.checked ? [input.value] : []));
      else fields[input.name] = input.value;
    }
    try {
      localStorage.setItem(this.key, JSON.stringify({ at: Date.now(), fields }));
    } catch {
      // Storage is off or full: the page itself still has it.
    }
  }

  // Puts it back, and says whether there was anything.
  restore() {
    const kept = this.read();
    for (const [name, value] of Object.entries(kept ?? {})) {
      for (const input of this.form.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
        if (input.type === "radio") input.checked = input.value === value && !input.disabled;
        else if (input.type === "checkbox") input.checked = value.includes(input.value);
        else input.value = value;
      }
      // A verdict that is not offered any more, such as an edit that was taken back.
      const group = [...this.form.querySelectorAll(`input[type="radio"][name="${CSS.escape(name)}"]`)];
      if (group.length && !group.some((radio) => radio.checked)) group.at(-1).checked = true;
    }
    return kept !== null;
  }

  // Drafts that nobody has touched for long go.
  read() {
    let kept = null;
    try {
      for (const name of Object.keys(localStorage).filter((one) => one.startsWith(PREFIX))) {
        const draft = JSON.parse(localStorage.getItem(name));
        if (Date.now() - draft.at > KEPT_DAYS * 86_400_000) localStorage.removeItem(name);
        else if (name === this.key) kept = draft.fields;
      }
    } catch {
      // No storage, or not ours: nothing to put back.
    }
    return kept;
  }
}
