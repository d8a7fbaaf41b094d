// What stands beside every view.

import { DEAD_LETTERS, EVENTS, QUEUES, SERVICE, SUBSCRIPTIONS } from "./addresses.js";
import { h } from "./dom.js";
import { showKeys } from "./keys.js";
import { button } from "./parts.js";
import { themeWords, turnTheme } from "./theme.js";

const ITEMS = [
  ["queues", QUEUES, "Queues", "q"],
  ["subscriptions", SUBSCRIPTIONS, "Subscriptions", "s"],
  ["events", EVENTS, "Events", "e"],
  ["dead-letters", DEAD_LETTERS, "Dead letters", "d"],
  ["service", SERVICE, "Service", "h"],
];

export function rail(app) {
  const { section } = app.page.route;
  const items = ITEMS.map(([name, href, text, key]) =>
    h(
      "li",
      null,
      h(
        "a",
        { href, "aria-current": name === section ? "true" : null, "aria-keyshortcuts": `g ${key}`, title: `g ${key}` },
        h("span", null, text),
      ),
    ),
  );
  const turn = (event) => {
    event.currentTarget.textContent = turnTheme();
  };
  return [
    h("a", { class: "brand", href: QUEUES }, h("img", { src: "icon.svg", alt: "", width: 22, height: 22 }), "Sukkal"),
    h("nav", { "aria-label": "Main" }, h("ul", null, items)),
    h(
      "div",
      { class: "foot" },
      h("p", { class: "who" }, app.session.token ? "Signed in with a token" : ["Project ", h("b", null, app.session.project)]),
      button(themeWords(), turn, { kind: "plain" }),
      button("Keys  ?", showKeys, { kind: "plain" }),
      button("Sign out", () => app.leave(), { kind: "plain" }),
    ),
  ];
}
