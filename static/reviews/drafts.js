// What a person decided and typed but has not sent, kept in localStorage by user, project and
// question: it survives a crash, a closed tab and a lost network.

const LIFE = 30 * 24 * 3600 * 1000;
const memory = new Map(); // where the browser stores nothing

export class Drafts {
  constructor(user, project) {
    this.prefix = `chainwright:review:${user}:${project}:`;
    this.prune();
  }

  // `decisions` by rationale id; `best`: the id of the best chain; `own`: a chain written here;
  // `asked`: what stands in the dialogs; `unfolded`: letters of groups; `chain`: where the cursor was.
  static blank() {
    return {
      decisions: {}, best: null, own: { text: "", used: false }, asked: {}, unfolded: [], seconds: 0, chain: null,
    };
  }

  get(item) {
    const kept = read(this.prefix + item);
    const blank = Drafts.blank();
    return kept && typeof kept.decisions === "object" ? { ...blank, ...kept } : blank;
  }

  put(item, draft) {
    write(this.prefix + item, { ...draft, at: Date.now() });
  }

  drop(item) {
    memory.delete(this.prefix + item);
    try {
      localStorage.removeItem(this.prefix + item);
    } catch {
      // No storage: the memory above was all there was.
    }
  }

  prune() {
    try {
      for (const key of Object.keys(localStorage)) {
        if (key.startsWith("chainwright:review:") && !(read(key)?.at > Date.now() - LIFE)) {
          localStorage.removeItem(key);
        }
      }
    } catch {
      // No storage: nothing to prune.
    }
  }
}

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? memory.get(key);
  } catch {
    return memory.get(key);
  }
}

function write(key, value) {
  memory.set(key, value);
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Full or forbidden: this tab still has it.
  }
}
