// POSTs that outlive a lost network: they wait, try again, and say so meanwhile.

const TIMEOUT = 15000;
const WAITS = [1, 2, 4, 8, 15, 30];

export class Problem extends Error {
  constructor(status, message, more = {}) {
    super(message);
    this.status = status;
    this.more = more; // what the server tells beside the message
  }
}

// `waiting(message)` is called before each new try and with "" when the answer has come. With
// `retry: false` a lost network is a Problem with status 0 at once.
export async function ask(url, { body, csrf, retry = true, waiting = () => {} } = {}) {
  for (let tries = 0; ; tries += 1) {
    let response;
    let answer;
    try {
      response = await fetch(url, {
        method: body === undefined ? "GET" : "POST",
        headers: body === undefined ? {} : { "Content-Type": "application/json", "X-CSRFToken": csrf },
        // A retry says so: the server then takes what came through the first time as done.
        body: body === undefined ? undefined : JSON.stringify(tries ? { ...body, again: true } : body),
        credentials: "same-origin",
        // What is under way when the page closes still arrives; browsers take 64 KB of it.
        keepalive: body !== undefined && JSON.stringify(body).length < 15_000,
        signal: AbortSignal.timeout(TIMEOUT),
      });
      answer = await bodyOf(response); // it may break off in its middle: then nothing came
    } catch {
      response = null;
    }
    // 500 may come after the server took what was sent: once more, with the word that it is once more.
    const broke = response?.status === 500 && body !== undefined && retry && tries < 1;
    if (response && !broke && ![502, 503, 504].includes(response.status)) {
      if (tries) waiting("");
      return answerOf(response, answer);
    }
    if (!retry) throw new Problem(0, "There is no connection now. Nothing is lost: try again in a moment.");
    const wait = WAITS[Math.min(tries, WAITS.length - 1)];
    if (!broke) waiting("No connection. What you decided and typed is kept here, and is sent when it is back.");
    await pause(wait * 1000 * (0.8 + 0.4 * Math.random()));
  }
}

const isJson = (response) => (response.headers.get("Content-Type") ?? "").includes("json");

// What JSON says; pages, such as one to sign in at, are told by their status alone.
async function bodyOf(response) {
  return isJson(response) ? response.json() : null;
}

function answerOf(response, answer) {
  if (isJson(response)) {
    if (response.ok) return answer;
    throw new Problem(response.status, answer.error, answer);
  }
  if (response.redirected || response.status === 403) {
    throw new Problem(401, "You are signed out, or this page is old. Sign in again in another tab, then load this page again: what you decided and typed is kept.");
  }
  if (response.status === 404) throw new Problem(404, "This question is gone, or you may not see this project any more.");
  throw new Problem(response.status, "Something broke on our side; it was logged. What you typed is kept: try again.");
}

function pause(milliseconds) {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds);
    function done() {
      clearTimeout(timer);
      window.removeEventListener("online", done);
      resolve();
    }
    window.addEventListener("online", done);
  });
}
