// Searches that are asked of every event that comes, and where what they find is posted.

import { queueAt } from "../addresses.js";
import { curl } from "../curl.js";
import { ask, form } from "../dialogs.js";
import { h } from "../dom.js";
import { button, empty, field, heading, input, link, loading, table } from "../parts.js";
import { eventTabs } from "./event_tabs.js";

const COLUMNS = [
  ["Search", "name"],
  ["Asks for", "text"],
  ["Posts to", "name"],
  ["Actions", "end unsaid"],
];

export function searches(page) {
  const state = { found: null, next: null };

  const take = async (marker) => {
    const answer = await page.api.get("/searches", { query: { marker }, signal: page.signal });
    state.found = marker ? [...state.found, ...answer.searches] : answer.searches;
    state.next = await page.api.after("/searches", answer, { signal: page.signal });
    draw();
  };

  const more = page.task(() => take(state.next));

  const save = () => askForSearch(page, () => page.refresh());

  function draw() {
    const create = button("Save a search", save, { kind: "primary", "data-new": true });
    page.show("Saved searches", heading("Events", create), eventTabs("searches"), content());
  }

  function content() {
    if (state.found === null) return loading();
    if (!state.found.length) return nothing(page);
    return [
      table("Saved searches", COLUMNS, state.found.map((each) => ({ key: each.name, cells: cells(page, each) }))),
      state.next ? h("nav", { class: "pager", "aria-label": "More searches" }, button("More", more)) : null,
    ];
  }

  draw();
  page.once(() => take());
}

function cells(page, { name, queue, ...asked }) {
  const remove = () =>
    ask(`Delete the search ${name}?`, "What it found stays in its queue.", {
      submit: "Delete the search",
      act: async () => {
        await page.api.delete(`/searches/${encodeURIComponent(name)}`);
        page.refresh();
      },
    });
  return [
    name,
    h("span", { class: "preview" }, Object.entries(asked).map(([key, value]) => `${key}: ${value}`).join(", ")),
    link(queue, queueAt(queue), { "data-row": true }),
    button("Delete", remove, { "aria-label": `Delete the search ${name}` }),
  ];
}

function askForSearch(page, after) {
  const content = [
    field("Name", input("name", { required: true, autofocus: true })),
    field("Words", input("q"), 'Words, "phrases", begin*, -without.'),
    field("Type", input("type", { placeholder: "compute.*" })),
    field("Source", input("source")),
    field("Post to the queue", input("queue", { required: true })),
  ];
  form("Save a search", content, {
    submit: "Save",
    act: async ({ name, ...given }) => {
      const asked = Object.fromEntries(Object.entries(given).filter(([, value]) => value.trim()));
      await page.api.put(`/searches/${encodeURIComponent(name.trim())}`, asked);
      page.say("Search saved.");
      after();
    },
  });
}

function nothing(page) {
  return empty(
    "No saved searches",
    "A saved search is asked of every event that comes; what it finds is posted to a queue, where you subscribe or listen. For instance:",
    curl(page.session, "PUT", "/searches/broken-servers", { type: "compute.*", q: "error", queue: "broken" }),
  );
}
