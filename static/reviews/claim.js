// Keeps the claim while somebody works: a quiet renewal every minute, and word when the page closes.
// The server renews and gives back the question in hand with the one on the table.

import { Problem, ask } from "./server.js";

const RENEW = 60_000;
const AWAY = 10 * 60_000; // a page that nobody touches gives its question back in the end
const IDLE = 60_000; // seconds count as work while something was touched lately

export class Claim {
  constructor({ csrf, renew, release }) {
    Object.assign(this, { csrf, renewUrl: renew, releaseUrl: release });
    this.touched = this.at = Date.now();
  }

  // `on`: {item() the question held or null, renewed(until), lost(message), second(), leaves()}
  start(on) {
    this.on = on;
    for (const name of ["keydown", "click", "pointermove", "wheel", "touchstart"]) {
      document.addEventListener(name, () => (this.touched = Date.now()), { passive: true, capture: true });
    }
    setInterval(() => {
      if (document.visibilityState === "visible" && Date.now() - this.touched < IDLE) on.second();
      if (Date.now() - this.at >= RENEW) this.renew();
    }, 1000);
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState !== "visible") return on.leaves();
      this.touched = Date.now();
      if (Date.now() - this.at > RENEW / 2) this.renew();
    });
    window.addEventListener("pageshow", (event) => event.persisted && this.renew());
    window.addEventListener("pagehide", () => this.leave());
  }

  async renew() {
    const item = this.on.item();
    if (item === null || document.visibilityState !== "visible" || Date.now() - this.touched > AWAY) return;
    this.at = Date.now();
    try {
      const { until } = await ask(this.renewUrl, { body: { item }, csrf: this.csrf, retry: false });
      if (item === this.on.item()) this.on.renewed(until);
    } catch (problem) {
      // A network that is away shows itself when decisions are sent; a lost claim is told at once.
      if (problem instanceof Problem && problem.status === 409 && item === this.on.item()) this.on.lost(problem.message);
    }
  }

  // The page closes or is loaded again: the claim then runs out in 90 seconds, and the page that comes
  // after a reload has it anew. sendBeacon can carry no header, so the token stands in a form.
  leave() {
    this.on.leaves();
    const item = this.on.item();
    if (item === null) return;
    const form = new FormData();
    form.set("csrfmiddlewaretoken", this.csrf);
    form.set("item", item);
    navigator.sendBeacon(this.releaseUrl, form);
  }
}
