// What a person decided and typed but has not sent, kept in this browser by user, project and question:
// it survives a crash, a closed tab and a lost network.

import { drop, prune, read, recover, write } from "./keeping.js";

const LIFE = 30 * 24 * 3600 * 1000;

export class Drafts {
  constructor(user, project) {
    this.prefix = `chainwright:review:${user}:${project}:`;
    prune("chainwright:review:", Date.now() - LIFE);
  }

  // `decisions` by rationale id; `best`: the id of the best rationale; `own`: a rationale written here;
  // `asked`: what stands in the dialogs; `unfolded`: letters of groups; `rationale`: where the cursor was.
  static blank() {
    return {
      decisions: {}, best: null, own: { text: "", used: false }, asked: {}, unfolded: [], seconds: 0, rationale: null,
    };
  }

  // What a crash of the browser left comes back, before anything is asked for.
  recover() {
    return recover(this.prefix);
  }

  get(item) {
    const kept = read(this.prefix + item);
    const blank = Drafts.blank();
    return kept && typeof kept.decisions === "object" ? { ...blank, ...kept } : blank;
  }

  put(item, draft) {
    write(this.prefix + item, { ...draft, at: Date.now() });
  }

  // `act(item)` when another tab has dropped the draft of a question.
  whenDropped(act) {
    window.addEventListener("storage", ({ key, newValue }) => {
      if (newValue === null && key?.startsWith(this.prefix)) act(Number(key.slice(this.prefix.length)));
    });
  }

  drop(item) {
    drop(this.prefix + item);
  }
}
