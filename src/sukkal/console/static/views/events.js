// Searching the events of all queues.

import { queueAt } from "../addresses.js";
import { curl } from "../curl.js";
import { h } from "../dom.js";
import { count } from "../format.js";
import { badge, body, button, empty, facts, heading, input, link, loading, table, time } from "../parts.js";
import { eventTabs } from "./event_tabs.js";

const TYPING_MS = 250;
const COLUMNS = [
  ["Type", "name"],
  ["Source", "text"],
  ["About", "text"],
  ["Queue", "name"],
  ["Posted", "number"],
];
const FACETS = { type: "Types", source: "Sources", queue: "Queues" };

export function events(page) {
  const state = { asked: {}, found: null, facets: null, next: null, opened: new Set(), sought: 0 };
  let timer = null;

  const look = async () => {
    state.sought += 1;
    const { sought } = state;
    const query = { ...state.asked, facets: Object.keys(FACETS).join(",") };
    const answer = await page.api.get("/events", { query, signal: page.signal });
    if (sought !== state.sought) return;
    Object.assign(state, { found: answer.events, facets: answer.facets, next: nextOf(answer) });
    draw();
  };

  const more = page.task(async () => {
    const answer = await page.api.get(state.next, { signal: page.signal });
    Object.assign(state, { found: [...state.found, ...answer.events], next: nextOf(answer) });
    draw();
  });

  const seek = (event) => {
    clearTimeout(timer);
    state.asked = { ...state.asked, q: event.target.value.trim() };
    timer = setTimeout(page.refresh, TYPING_MS);
  };

  const choose = (name, value) => {
    const asked = { ...state.asked };
    if (asked[name] === value) delete asked[name];
    else asked[name] = value;
    state.asked = asked;
    draw();
    page.refresh();
  };

  const toggle = (id) => {
    if (!state.opened.delete(id)) state.opened.add(id);
    draw();
  };

  function draw() {
    const words = { type: "search", "data-search": true, class: "search wide", "aria-label": "Search events" };
    const placeholder = 'Words, "phrases", begin*, -without     /';
    page.show(
      "Events",
      heading("Events", input("q", { ...words, placeholder, oninput: seek })),
      eventTabs("events"),
      chosen(state.asked, choose),
      content(),
    );
  }

  function content() {
    if (state.found === null) return loading();
    if (!state.found.length) return Object.values(state.asked).some(Boolean) ? missed() : nothing(page);
    return h(
      "div",
      { class: "with-facets" },
      facets(state, choose),
      h(
        "div",
        null,
        table("Events", COLUMNS, state.found.flatMap((hit) => rows(hit, state.opened.has(hit.message_id), toggle))),
        state.next ? h("nav", { class: "pager", "aria-label": "More events" }, button("More", more)) : null,
      ),
    );
  }

  page.leaving.push(() => clearTimeout(timer));
  draw();
  page.once(look);
}

function nextOf(answer) {
  return answer.links?.find((each) => each.rel === "next")?.href ?? null;
}

function rows(hit, open, toggle) {
  const { event } = hit;
  const expand = { class: "expand", type: "button", "aria-expanded": String(open), "data-row": true };
  const row = {
    key: hit.message_id,
    class: open ? "opened" : "",
    cells: [
      h("button", { ...expand, onclick: () => toggle(hit.message_id) }, event.type),
      h("span", { class: "preview" }, event.source),
      h("span", { class: "preview" }, hit.resource ? `${hit.resource.type} ${hit.resource.id}` : (event.subject ?? "")),
      link(hit.queue, queueAt(hit.queue)),
      time(Date.parse(hit.posted)),
    ],
  };
  return open ? [row, { key: `${hit.message_id}+`, wide: detail(hit) }] : [row];
}

function detail(hit) {
  return h(
    "div",
    { class: "detail" },
    facts([
      ["Event", h("code", null, hit.event.id)],
      ["Message", h("code", null, hit.message_id)],
      ["Posted", hit.posted],
      ["Resource", hit.resource ? [hit.resource.type, " ", hit.resource.id, hit.resource.deleted ? badge("gone", "quiet") : null] : null],
    ]),
    body(hit.event, `Event ${hit.event.id}`),
  );
}

function facets(state, choose) {
  const groups = Object.entries(FACETS).map(([name, title]) => {
    const counts = state.facets?.counts[name] ?? [];
    const items = counts.map(({ value, count: number }) =>
      h(
        "li",
        { "data-key": value },
        h(
          "button",
          { type: "button", "aria-pressed": String(state.asked[name] === value), onclick: () => choose(name, value) },
          h("span", null, value),
          h("span", { class: "count" }, count(number)),
        ),
      ),
    );
    return h("section", null, h("h2", null, title), h("ul", null, items));
  });
  return h("aside", { class: "facets", "aria-label": "Narrow down" }, groups, state.facets?.complete === false ? h("p", { class: "hint" }, "Of the newest 10,000 matches.") : null);
}

function chosen(asked, choose) {
  const shown = Object.keys(FACETS).filter((name) => asked[name]);
  if (!shown.length) return null;
  const buttons = shown.map((name) =>
    button(`${name}: ${asked[name]}  ×`, () => choose(name, asked[name]), { "aria-label": `No longer only ${name} ${asked[name]}` }),
  );
  return h("p", { class: "chosen" }, buttons);
}

function missed() {
  return empty("Nothing found", "All words have to be there, in whole; end one with * for its beginning. Only queues with _search are searched, and what was posted to them since.");
}

function nothing(page) {
  return empty(
    "No events yet",
    "A queue with _search leaves all that is posted to it in an index: find it here by words, type, source or resource, even after it was consumed. Let the queue hello be searched:",
    curl(page.session, "PUT", "/queues/hello", { _search: true }),
  );
}
