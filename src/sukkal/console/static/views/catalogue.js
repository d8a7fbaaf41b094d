// Which types of events there are, who produces them, and what is in them.

import { h } from "../dom.js";
import { count } from "../format.js";
import { curl } from "../curl.js";
import { body, button, empty, facts, heading, loading, search, table, time } from "../parts.js";
import { eventTabs } from "./event_tabs.js";

const COLUMNS = [
  ["Type", "name"],
  ["Seen", "number"],
  ["Last", "number"],
  ["Producers", "text"],
];

export function catalogue(page) {
  const state = { found: null, next: null, opened: new Set(), filter: "" };

  const take = async (marker) => {
    const answer = await page.api.get("/events/types", { query: { marker }, signal: page.signal });
    state.found = marker ? [...state.found, ...answer.types] : answer.types;
    state.next = await page.api.after("/events/types", answer, { signal: page.signal });
    draw();
  };

  const more = page.task(() => take(state.next));

  const toggle = (type) => {
    if (!state.opened.delete(type)) state.opened.add(type);
    draw();
  };

  function draw() {
    const filter = (event) => {
      state.filter = event.target.value.toLowerCase();
      draw();
    };
    page.show("Catalogue of events", heading("Events", search("Filter the types", state.filter, filter)), eventTabs("types"), content());
  }

  function content() {
    if (state.found === null) return loading();
    if (!state.found.length) return nothing(page);
    const shown = state.found.filter((each) => each.type.toLowerCase().includes(state.filter));
    if (!shown.length) return empty("No such type among those shown", "Part of the type is enough.");
    return [
      table("Types of events", COLUMNS, shown.flatMap((each) => rows(each, state.opened.has(each.type), toggle))),
      state.next ? h("nav", { class: "pager", "aria-label": "More types" }, button("More", more)) : null,
    ];
  }

  draw();
  page.once(() => take());
}

function rows(each, open, toggle) {
  const expand = { class: "expand", type: "button", "aria-expanded": String(open), "data-row": true };
  const row = {
    key: each.type,
    class: open ? "opened" : "",
    cells: [
      h("button", { ...expand, onclick: () => toggle(each.type) }, each.type),
      count(each.count),
      time(Date.parse(each.last_posted)),
      h("span", { class: "preview" }, each.producers.map((producer) => producer.source).join(", ")),
    ],
  };
  return open ? [row, { key: `${each.type}+`, wide: detail(each) }] : [row];
}

function detail(each) {
  return h(
    "div",
    { class: "detail" },
    facts([
      ["First", each.first_posted],
      ["Last", each.last_posted],
      ...each.producers.map((producer) => [producer.source, `${count(producer.count)} events`]),
      ["A sample", h("code", null, `${each.sample.source} ${each.sample.id}`)],
    ]),
    body(each.schema, `Schema of ${each.type}`),
  );
}

function nothing(page) {
  return empty(
    "No types yet",
    "The catalogue fills by itself from queues with _search: every type of event with its producers, a sample, and a schema of its data. Post an event to the queue hello:",
    curl(
      page.session,
      "POST",
      "/queues/hello/events",
      { specversion: "1.0", id: "1", source: "/shop", type: "order.paid", data: { amount: 5 } },
      "application/cloudevents+json",
    ),
  );
}
