// Where drafts are kept in this browser: in localStorage, which is read at once, and behind it in IndexedDB,
// which is on the disk a moment later. (Chromium writes localStorage to the disk some seconds late: a crash
// of the whole browser took what was typed in them.) A draft is an object with the time `at`.

const PAUSE = 250; // so many milliseconds of typing a crash may take
const PATIENCE = 500; // a page waits no longer for drafts to be looked for
const NAME = "chainwright-drafts";

const memory = new Map(); // where the browser stores nothing, this tab still has it
const waiting = new Map(); // key -> draft, or null for one that goes
let timer;
let opening;

export function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? memory.get(key) ?? null;
  } catch {
    return memory.get(key) ?? null;
  }
}

export function write(key, draft) {
  put(key, draft);
  waiting.set(key, draft);
  timer ??= setTimeout(flush, PAUSE);
}

export function drop(key) {
  memory.delete(key);
  try {
    localStorage.removeItem(key);
  } catch {
    // No storage: the memory above was all there was.
  }
  waiting.set(key, null);
  flush();
}

// Drops what begins so and was last touched before `until`.
export function prune(prefix, until) {
  try {
    for (const key of Object.keys(localStorage).filter((one) => one.startsWith(prefix))) {
      if (!(read(key)?.at > until)) drop(key);
    }
  } catch {
    // No storage: nothing to prune.
  }
}

// What a crash left in IndexedDB alone, of keys that begin so, comes back.
export async function recover(prefix) {
  const late = new Promise((done) => setTimeout(() => done([]), PATIENCE));
  for (const [key, draft] of await Promise.race([rows(prefix), late])) {
    if (draft.at > (read(key)?.at ?? 0)) put(key, draft);
  }
}

function put(key, draft) {
  memory.set(key, draft);
  try {
    localStorage.setItem(key, JSON.stringify(draft));
  } catch {
    // Full or forbidden.
  }
}

function database() {
  opening ??= new Promise((done) => {
    try {
      const asked = indexedDB.open(NAME, 1);
      asked.onupgradeneeded = () => asked.result.createObjectStore("drafts");
      asked.onsuccess = () => done(asked.result);
      asked.onerror = asked.onblocked = () => done(null);
    } catch {
      done(null); // forbidden, as in some private windows
    }
  });
  return opening;
}

async function flush() {
  clearTimeout(timer);
  timer = undefined;
  const open = await database();
  const drafts = [...waiting];
  waiting.clear();
  if (!open || !drafts.length) return;
  try {
    const store = open.transaction("drafts", "readwrite", { durability: "strict" }).objectStore("drafts");
    for (const [key, draft] of drafts) {
      if (draft === null) store.delete(key);
      else store.put(structuredClone(draft), key);
    }
  } catch {
    // Closed or full: localStorage has it all the same.
  }
}

async function rows(prefix) {
  const open = await database();
  if (!open) return [];
  return new Promise((done) => {
    const found = [];
    try {
      const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`);
      const asked = open.transaction("drafts").objectStore("drafts").openCursor(range);
      asked.onsuccess = () => {
        const cursor = asked.result;
        if (!cursor) return done(found);
        found.push([cursor.key, cursor.value]);
        return cursor.continue();
      };
      asked.onerror = () => done(found);
    } catch {
      done(found);
    }
  });
}
