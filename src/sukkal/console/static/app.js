// The start of the console: who is signed in, which view is shown, and what stands around it.

import { Api } from "./api.js";
import { patch } from "./dom.js";
import { Held } from "./held.js";
import { listenToKeys } from "./keys.js";
import { Page } from "./page.js";
import { Samples } from "./rates.js";
import { rail } from "./rail.js";
import { find, parentOf } from "./routes.js";
import { Session } from "./session.js";
import { applyTheme } from "./theme.js";
import { login } from "./views/login.js";

class App {
  constructor() {
    this.session = new Session();
    this.api = new Api(this.session, (refused) => this.stranger(refused));
    this.samples = new Samples();
    this.held = new Held(this);
    this.page = null;
    this.visits = 0;
    this.dismissed = null;
  }

  start() {
    applyTheme();
    listenToKeys(this);
    window.addEventListener("hashchange", () => this.visit());
    document.querySelector(".skip").onclick = (event) => {
      event.preventDefault();
      document.getElementById("main").focus();
    };
    this.visit();
  }

  visit() {
    this.page?.leave();
    this.visits += 1;
    const route = find(location.hash);
    document.body.classList.toggle("stranger", !this.session.open);
    this.page = new Page(this, route);
    this.drawRail();
    if (!this.session.open) {
      login(this.page, this.dismissed);
      return;
    }
    this.held.release(route.parameters.queue ?? null);
    // What belonged to another view is not to be changed into this one.
    patch(document.getElementById("view"));
    route.view(this.page, route.parameters);
  }

  drawRail() {
    patch(document.getElementById("rail"), ...(this.session.open ? rail(this) : []));
  }

  enter(token, project) {
    this.session.enter(token, project);
    this.dismissed = null;
    this.visit();
  }

  async leave() {
    await this.held.release(null);
    this.forget();
    location.hash = "#/queues";
    this.visit();
  }

  // The service does not know the token (any more): back to the door, with what it said.
  stranger(refused) {
    if (!this.session.open) return;
    this.dismissed = refused;
    this.forget();
    this.visit();
  }

  forget() {
    this.session.leave();
    this.samples = new Samples();
    this.held.queues.clear();
  }

  up() {
    const parent = parentOf(location.hash);
    if (parent) location.hash = parent;
  }

  again() {
    this.page?.refresh();
  }

  // Say something that is not urgent, also to those who hear the page.
  say(text) {
    const status = document.getElementById("status");
    status.textContent = text;
    status.classList.add("said");
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => status.classList.remove("said"), 4_000);
  }
}

new App().start();
