// The queues of the project, how full they are, and how that changes.

import { queueAt } from "../addresses.js";
import { of } from "../api.js";
import { curl } from "../curl.js";
import { form } from "../dialogs.js";
import { h } from "../dom.js";
import { count, dated } from "../format.js";
import { badge, button, empty, field, heading, input, link, loading, search, table, time } from "../parts.js";
import { rateText, sparkline } from "../rates.js";

const LOOK_MS = 5_000;
const AT_ONCE = 4;

const COLUMNS = [
  ["Queue", "name"],
  ["Free", "number"],
  ["Claimed", "number"],
  ["Delayed", "number"],
  ["Oldest", "number"],
  ["Depth, 5 min", "plot"],
  ["Change", "number"],
];

export function queues(page) {
  const state = { pages: [undefined], found: null, next: null, stats: new Map(), name: "", sought: 0 };
  const here = () => state.pages.at(-1);

  const look = async () => {
    const sought = state.sought;
    const query = { detailed: true, marker: here(), name: state.name };
    const answer = await page.api.get("/queues", { query, signal: page.signal });
    const next = await page.api.after("/queues", answer, { query: { name: state.name }, signal: page.signal });
    if (sought !== state.sought) return;
    Object.assign(state, { found: answer.queues, next });
    draw();
    await eachOf(state.found, AT_ONCE, (queue) => measure(page, state, queue.name, draw));
  };

  const turn = (marker) => {
    state.sought += 1;
    if (marker === null) state.pages.pop();
    else state.pages.push(marker);
    state.found = null;
    draw();
    page.refresh();
  };

  const seek = (event) => {
    state.sought += 1;
    state.name = event.target.value.trim();
    state.pages = [undefined];
    page.refresh();
  };

  function draw() {
    const create = button("New queue", () => askForQueue(page), { kind: "primary", "data-new": true });
    page.show(
      "Queues",
      heading("Queues", search("Find a queue", state.name, seek), create),
      content(page, state),
      pager(state, turn),
    );
  }

  draw();
  page.keep(look, LOOK_MS);
}

function content(page, state) {
  if (state.found === null) return loading();
  if (state.found.length) return table("Queues", COLUMNS, state.found.map((queue) => row(page, state, queue)));
  if (state.name) return empty(`No queue is called like “${state.name}”`, "Part of a name is enough; capital letters count.");
  return empty(
    "No queues yet",
    "A queue keeps messages until somebody takes them or they expire. It comes into being with the first message:",
    curl(page.session, "POST", "/queues/hello/messages", { messages: [{ body: "Hello", ttl: 3600 }] }),
    button("New queue", () => askForQueue(page), { kind: "primary" }),
  );
}

function row(page, state, queue) {
  const stats = state.stats.get(queue.name);
  const { samples } = page.app;
  const name = [link(queue.name, queueAt(queue.name), { "data-row": true }), ...marks(queue.metadata)];
  if (!stats) return { key: queue.name, cells: [name, "·", "·", "·", "·", "", ""] };
  const depths = samples.of(queue.name);
  return {
    key: queue.name,
    cells: [
      name,
      count(stats.free - (stats.delayed ?? 0)),
      count(stats.claimed),
      count(stats.delayed ?? 0),
      stats.oldest ? time(stats.oldest.made) : "–",
      sparkline(depths, `Depth of ${queue.name}: ${depths.at(-1)?.value ?? 0} messages now`),
      rateText(samples.rate(queue.name)),
    ],
  };
}

// What is special about a queue.
export function marks(metadata) {
  const shown = [];
  if (metadata._dead_letter_queue) shown.push(badge(`dead letters: ${metadata._dead_letter_queue}`, "quiet"));
  if (metadata._search) shown.push(badge("searched", "quiet"));
  if (metadata._enable_encrypt_messages) shown.push(badge("encrypted", "quiet"));
  if (metadata._persistence === "none") shown.push(badge("keeps nothing", "quiet"));
  if (metadata._conflate) shown.push(badge("latest only", "quiet"));
  return shown;
}

async function measure(page, state, name, draw) {
  try {
    const answer = await page.api.get(of(name, "stats"), { signal: page.signal });
    state.stats.set(name, datedStats(answer.messages));
    page.app.samples.add(name, answer.messages.total);
    draw();
  } catch (error) {
    // It may have gone meanwhile; the next look tells.
    if (error.status !== 404) throw error;
  }
}

export function datedStats(stats) {
  return stats.oldest ? { ...stats, oldest: dated(stats.oldest) } : stats;
}

function pager(state, turn) {
  if (state.pages.length < 2 && !state.next) return null;
  return h(
    "nav",
    { class: "pager", "aria-label": "Pages" },
    button("Previous", () => turn(null), { disabled: state.pages.length < 2 }),
    h("span", null, `Page ${state.pages.length}`),
    button("Next", () => turn(state.next), { disabled: !state.next }),
  );
}

export async function eachOf(items, atOnce, act) {
  const waiting = [...items];
  const work = async () => {
    while (waiting.length) await act(waiting.shift());
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

function askForQueue(page) {
  const name = input("name", { required: true, maxlength: 64, autofocus: true });
  const ttl = input("ttl", { type: "number", min: 60, placeholder: "the service's default" });
  const content = [
    field("Name", name, "Up to 64 letters, digits, - and _."),
    field("Life of its messages, in seconds", ttl, "For messages that do not say it themselves."),
    field("Let searches find its messages", input("search", { type: "checkbox" })),
  ];
  form("New queue", content, {
    submit: "Create",
    act: async (given) => {
      const metadata = {
        ...(given.ttl ? { _default_message_ttl: Number(given.ttl) } : {}),
        ...(given.search ? { _search: true } : {}),
      };
      await page.api.put(of(given.name.trim()), metadata);
      page.say(`Queue ${given.name.trim()} created.`);
      location.hash = queueAt(given.name.trim());
    },
  });
}
