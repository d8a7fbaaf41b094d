// One visit of one view: what it shows, what it keeps doing, and what ends with it.

import { patch } from "./dom.js";
import { failure } from "./parts.js";

export class Page {
  constructor(app, route) {
    this.app = app;
    this.api = app.api;
    this.session = app.session;
    this.route = route;
    this.ending = new AbortController();
    this.leaving = [];
    this.refresh = () => {};
    this.failed = null;
    this.focused = false;
  }

  get signal() {
    return this.ending.signal;
  }

  get over() {
    return this.ending.signal.aborted;
  }

  show(title, ...content) {
    if (this.over) return;
    document.title = `${title} · Sukkal`;
    patch(document.getElementById("view"), ...content);
    if (!this.focused && this.app.visits > 1) {
      document.getElementById("heading")?.focus({ preventScroll: true });
      window.scrollTo(0, 0);
    }
    this.focused = true;
  }

  // Return a function that does something and shows how it failed, if it does.
  task(act) {
    const attempt = async (...given) => {
      try {
        const result = await act(...given);
        // What failed otherwise is still to be read.
        if (this.failed === attempt) this.clear();
        return result;
      } catch (error) {
        if (!this.over && error.name !== "AbortError") this.fail(error, attempt, given);
        return undefined;
      }
    };
    return attempt;
  }

  fail(error, attempt, given) {
    if (error.title === undefined) console.error(error);
    this.failed = attempt;
    const dismiss = () => this.clear();
    patch(document.getElementById("alert"), failure(error, { again: () => attempt(...given), dismiss }));
  }

  clear() {
    this.failed = null;
    if (!this.over) patch(document.getElementById("alert"));
  }

  // Look now and again, as long as somebody can see the page; `r` looks at once.
  keep(look, everyMs) {
    const attempt = this.task(look);
    this.refresh = attempt;
    attempt();
    let busy = false;
    const timer = setInterval(async () => {
      if (document.hidden || busy) return;
      busy = true;
      await attempt();
      busy = false;
    }, everyMs);
    this.leaving.push(() => clearInterval(timer));
  }

  // Look once; `r` looks again.
  once(look) {
    this.refresh = this.task(look);
    this.refresh();
  }

  say(text) {
    this.app.say(text);
  }

  leave() {
    this.ending.abort();
    for (const end of this.leaving) end();
    patch(document.getElementById("alert"));
  }
}
