// What an admin has chosen and typed of a disagreement and not sent: kept in this browser by person,
// project and question, so that it survives a crash, a lost network and a closed tab.

import { prune, read, recover, write } from "./keeping.js";

const LIFE = 14 * 24 * 3600 * 1000;
const PREFIX = "adjudicate:";

export class CaseDraft {
  constructor(form) {
    const { user, project, question } = form.dataset;
    Object.assign(this, { form, key: `${PREFIX}${user}:${project}:${question}` });
    prune(PREFIX, Date.now() - LIFE);
  }

  keep() {
    const fields = {};
    for (const input of this.form.querySelectorAll("[data-dispute] :is(input, textarea)")) {
      if (input.type === "radio") {
        if (input.checked) fields[input.name] = input.value;
      } else if (input.type === "checkbox") (fields[input.name] ??= []).push(...(input.checked ? [input.value] : []));
      else fields[input.name] = input.value;
    }
    write(this.key, { at: Date.now(), fields });
  }

  // Puts it back, and says whether there was anything.
  async restore() {
    await recover(this.key);
    const kept = read(this.key)?.fields;
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
    return kept !== undefined;
  }
}
