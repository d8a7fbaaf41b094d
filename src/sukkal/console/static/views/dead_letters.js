// What nobody managed to finish or to deliver, and giving it another chance.

import { queueAt } from "../addresses.js";
import { markerOf, of } from "../api.js";
import { curl } from "../curl.js";
import { h } from "../dom.js";
import { count, dated } from "../format.js";
import { badge, button, empty, heading, link, loading, table } from "../parts.js";
import { claimIdOf, messageTable, reasonOf } from "./message_rows.js";
import { eachOf } from "./queues.js";
import { inOurWords } from "./subscriptions.js";

const LOOK_MS = 10_000;
const AT_ONCE = 4;
const PAGES_MAX = 10;
const GIVEN_UP = [
  ["Subscriber", "name"],
  ["Queue", "name"],
  ["Given up", "number"],
  ["Last error", "text"],
  ["Actions", "end"],
];

export function deadLetters(page) {
  const state = { queues: null, deliveries: null, opened: new Set(), cut: false };

  const look = async () => {
    state.cut = false;
    const [queues, deliveries] = await Promise.all([lettersOf(page, state), givenUp(page, state)]);
    Object.assign(state, { queues, deliveries });
    draw();
  };

  // Post it again where it came from, and then take it away. If the second fails it may be done again: the post has a
  // name, so it happens once.
  const redriveOne = async (queue, message) => {
    const again = { body: message.body, ttl: message.ttl };
    if (message.reply_to) again.reply_to = message.reply_to;
    if (message.correlation_id) again.correlation_id = message.correlation_id;
    const headers = { "Idempotency-Key": `redrive-${message.id}` };
    await page.api.post(of(message.dead_letter.queue, "messages"), { messages: [again] }, { headers });
    await page.api.delete(of(queue, "messages", message.id));
  };

  const redrive = page.task(async (queue, messages) => {
    let done = 0;
    try {
      for (const message of messages) {
        await redriveOne(queue, message);
        done += 1;
      }
    } finally {
      page.say(`${count(done)} of ${count(messages.length)} messages are back where they came from.`);
      await look();
    }
  });

  const redriveDeliveries = page.task(async ({ queue, id }) => {
    const answer = await page.api.post(of(queue, "subscriptions", id, "redrive"), {});
    page.say(`${count(answer.redriven)} deliveries are tried again.`);
    await look();
  });

  const remove = page.task(async (queue, message) => {
    await page.api.delete(of(queue, "messages", message.id));
    page.say("Dead letter deleted.");
    await look();
  });

  const toggle = (id) => {
    if (!state.opened.delete(id)) state.opened.add(id);
    draw();
  };

  function draw() {
    page.show("Dead letters", heading("Dead letters", button("Look again", () => page.refresh())), content());
  }

  function content() {
    if (state.queues === null) return loading();
    const full = state.queues.filter((each) => each.messages.length);
    if (!full.length && !state.deliveries.length) return nothing(page, state);
    return [
      state.cut ? h("p", { class: "hint" }, "There is more than is looked at here; these are the first.") : null,
      full.map(section),
      state.deliveries.length ? deliverySection() : null,
    ];
  }

  function section({ name, messages, more }) {
    const redrivable = messages.filter(canRedrive);
    const actions = (message) => [
      canRedrive(message) ? button("Redrive", () => redrive(name, [message]), { kind: "primary" }) : null,
      button("Delete", () => remove(name, message), { kind: "danger" }),
    ];
    return h(
      "section",
      { class: "letters", "data-key": name },
      h(
        "header",
        { class: "heading" },
        h("h2", null, link(name, queueAt(name)), " ", badge(`${count(messages.length)}${more ? "+" : ""}`, "bad")),
        h(
          "div",
          { class: "beside" },
          redrivable.length ? button(`Redrive ${count(redrivable.length)}`, () => redrive(name, redrivable), { "aria-label": `Redrive the dead letters of ${name}` }) : null,
        ),
      ),
      h("ul", { class: "reasons" }, reasons(messages).map(([reason, number]) => h("li", null, badge(count(number), "quiet"), " ", reason))),
      messageTable(`Dead letters in ${name}`, messages, { opened: state.opened, toggle, actions }),
    );
  }

  function deliverySection() {
    const rows = state.deliveries.map((each) => ({
      key: `${each.queue} ${each.id}`,
      cells: [
        link(each.subscriber, queueAt(each.queue, "subscriptions", each.id), { "data-row": true }),
        link(each.queue, queueAt(each.queue)),
        count(each.dead.length),
        each.dead[0].error || (each.dead[0].status ?? ""),
        button("Redrive", () => redriveDeliveries(each), { "aria-label": `Redrive the deliveries to ${each.subscriber}` }),
      ],
    }));
    return h("section", { class: "letters", "data-key": "deliveries" }, h("h2", null, "Deliveries that were given up"), table("Deliveries that were given up", GIVEN_UP, rows));
  }

  draw();
  page.keep(look, LOOK_MS);
}

function canRedrive(message) {
  return Boolean(message.dead_letter?.queue) && claimIdOf(message) === null;
}

function reasons(messages) {
  const counts = new Map();
  for (const message of messages) {
    const letter = message.dead_letter;
    const text = letter ? `${reasonOf(letter)}, from ${letter.queue}` : "posted here by somebody";
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return [...counts];
}

// The queues to which others send their dead letters, with the oldest letters in each.
async function lettersOf(page, state) {
  const names = new Set();
  let marker;
  for (let pages = 0; pages < PAGES_MAX; pages += 1) {
    const answer = await page.api.get("/queues", { query: { detailed: true, marker }, signal: page.signal });
    for (const { metadata } of answer.queues) {
      if (metadata._dead_letter_queue) names.add(metadata._dead_letter_queue);
    }
    marker = answer.queues.length ? markerOf(answer.links) : null;
    if (!marker) break;
  }
  state.cut ||= Boolean(marker);
  const found = [];
  await eachOf([...names].sort(), AT_ONCE, async (name) => {
    const query = { echo: true, include_claimed: true, include_delayed: true, detailed: true };
    const answer = await page.api.get(of(name, "messages"), { query, signal: page.signal });
    const more = await page.api.after(of(name, "messages"), answer, { query, signal: page.signal });
    found.push({ name, messages: answer.messages.map(dated), more: more !== null });
  });
  return found.sort((one, other) => one.name.localeCompare(other.name));
}

// The subscriptions that keep deliveries which were given up.
async function givenUp(page, state) {
  const found = [];
  let path = "/subscriptions";
  for (let pages = 0; path && pages < PAGES_MAX; pages += 1) {
    const [answer, next] = await page.api.page(path, { signal: page.signal });
    found.push(...answer.filter((each) => each.config?.queue).map(inOurWords));
    path = next;
  }
  state.cut ||= Boolean(path);
  const kept = [];
  await eachOf(found, AT_ONCE, async (each) => {
    const query = { limit: 100 };
    const ledger = await page.api.get(of(each.queue, "subscriptions", each.id, "deliveries"), { query, signal: page.signal });
    const dead = ledger.deliveries.filter((delivery) => delivery.state === "dead");
    if (dead.length) kept.push({ ...each, dead });
  });
  return kept;
}

function nothing(page, { queues }) {
  if (queues.length) {
    return empty("No dead letters", `Nothing has been given up. ${queues.map((each) => each.name).join(", ")} would have it.`);
  }
  return empty(
    "No dead letters",
    "A message that is claimed again and again and never deleted can go to another queue instead, with the reason and where it came from; so can what was not delivered. Nothing was given up, and no queue has a dead-letter queue yet. Give hello one:",
    curl(page.session, "PUT", "/queues/hello", { _max_claim_count: 3, _dead_letter_queue: "hello-failed" }),
  );
}
