// Everything can be done by keyboard: links and buttons as in any page, and these for what is done often.

import { show } from "./dialogs.js";
import { h } from "./dom.js";
import { button } from "./parts.js";

const PLACES = {
  q: ["#/queues", "Go to queues"],
  s: ["#/subscriptions", "Go to subscriptions"],
  e: ["#/events", "Go to events"],
  d: ["#/dead-letters", "Go to dead letters"],
  h: ["#/service", "Go to the service's health"],
};

const SAID = [
  ["/", "Search, or filter what is shown"],
  ["j  k", "Next and previous row"],
  ["Enter", "Open"],
  ["Esc", "Close, or go back up"],
  ["n", "Make something new: a queue, a message, a subscription"],
  ["r", "Look again"],
  ["?", "Show the keys"],
];

let going = false;

export function listenToKeys(app) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.querySelector("dialog[open]")) return;
    const typing = event.target.matches?.("input, textarea, select");
    if (typing && event.key !== "Escape") return;
    if (press(app, event, typing)) event.preventDefault();
  });
}

function press(app, event, typing) {
  const { key } = event;
  if (!app.session.open) return false;
  if (going) {
    going = false;
    if (PLACES[key]) return done(() => (location.hash = PLACES[key][0]));
  }
  if (key === "g") return done(() => (going = true));
  if (key === "/") return focusOn("[data-search]");
  if (key === "?") return done(showKeys);
  if (key === "j" || key === "k") return done(() => moveRow(key === "j" ? 1 : -1));
  if (key === "n") return click("[data-new]");
  if (key === "r") return done(() => app.again());
  if (key === "Escape") return escape(app, typing ? event.target : null);
  return false;
}

function done(act) {
  act();
  return true;
}

function focusOn(selector) {
  const found = document.querySelector(selector);
  found?.focus();
  found?.select?.();
  return found !== null;
}

function click(selector) {
  const found = document.querySelector(selector);
  found?.click();
  return found !== null;
}

function escape(app, typedIn) {
  if (typedIn) return done(() => typedIn.blur());
  const opened = document.activeElement.closest?.("tr")?.querySelector("[aria-expanded=true]");
  const other = opened ?? document.querySelector("#view [aria-expanded=true]");
  if (other) {
    return done(() => {
      other.click();
      other.focus();
    });
  }
  return done(() => app.up());
}

function moveRow(by) {
  const rows = [...document.querySelectorAll("[data-row]")];
  const here = rows.findIndex((row) => row.closest("tr, .line") === document.activeElement.closest("tr, .line"));
  const next = here === -1 ? (by > 0 ? 0 : rows.length - 1) : here + by;
  rows[Math.min(Math.max(next, 0), rows.length - 1)]?.focus();
}

export function showKeys() {
  const lines = [...SAID, ...Object.entries(PLACES).map(([key, [, said]]) => [`g ${key}`, said])];
  const dialog = h(
    "dialog",
    { "aria-labelledby": "keys-title", class: "keys" },
    h("h2", { id: "keys-title" }, "Keys"),
    h("dl", null, lines.map(([keys, said]) => h("div", null, h("dt", null, keyCaps(keys)), h("dd", null, said)))),
    h("div", { class: "actions" }, button("Close", () => dialog.close(), { kind: "primary" })),
  );
  show(dialog);
}

function keyCaps(keys) {
  return keys.split(/\s+/).map((key) => h("kbd", null, key));
}
