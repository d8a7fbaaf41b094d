// One subscription: what it is told, and what became of its deliveries.

import { queueAt, SUBSCRIPTIONS } from "../addresses.js";
import { of } from "../api.js";
import { ask } from "../dialogs.js";
import { h } from "../dom.js";
import { count, dated, length, until } from "../format.js";
import { badge, body, button, empty, facts, heading, loading, table, time, trail } from "../parts.js";
import { shortId } from "./message_rows.js";

const LOOK_MS = 3_000;
const LEDGER_MAX = 100;
const KINDS = { waiting: "quiet", retrying: "warm", delivered: "good", dead: "bad" };
const COLUMNS = [
  ["Message", "name"],
  ["State", ""],
  ["Attempts", "number"],
  ["Status", "number"],
  ["Error", "text"],
  ["When", "number"],
  ["Actions", "end unsaid"],
];

export function subscription(page, { queue, id }) {
  const state = { it: null, ledger: null, test: null, testing: false };
  const path = (...rest) => of(queue, "subscriptions", id, ...rest);

  const look = async () => {
    const [it, ledger] = await Promise.all([
      page.api.get(path(), { signal: page.signal }),
      page.api.get(path("deliveries"), { query: { limit: LEDGER_MAX }, signal: page.signal }),
    ]);
    Object.assign(state, { it: dated(it), ledger });
    draw();
  };

  const test = page.task(async () => {
    state.testing = true;
    draw();
    try {
      state.test = await page.api.post(path("test"), {});
      page.say(state.test.delivered ? "The test was delivered." : "The test was not delivered.");
    } finally {
      state.testing = false;
      draw();
    }
  });

  const redrive = page.task(async (ids) => {
    const answer = await page.api.post(path("redrive"), ids ? { ids } : {});
    page.say(`${count(answer.redriven)} deliveries are tried again.`);
    await look();
  });

  const remove = () => {
    ask("End this subscription?", "What waits for its subscriber goes with it.", {
      submit: "End the subscription",
      act: async () => {
        await page.api.delete(path());
        page.say("Subscription ended.");
        location.hash = queueAt(queue, "subscriptions");
      },
    });
  };

  function draw() {
    const dead = state.ledger?.deliveries.filter((each) => each.state === "dead").length ?? 0;
    page.show(
      `Subscription to ${queue}`,
      trail(["Subscriptions", SUBSCRIPTIONS], [queue, queueAt(queue, "subscriptions")], [shortId(id), null]),
      heading(
        state.it?.subscriber ?? "Subscription",
        button("End it", remove, { kind: "danger" }),
        dead ? button("Redrive all", () => redrive(), { title: "Try everything again that was given up" }) : null,
        button(state.testing ? "Sending …" : "Send a test", test, { kind: "primary", disabled: state.testing }),
      ),
      state.it === null ? loading() : [about(state), outcome(state.test), ledger(state, redrive)],
    );
  }

  draw();
  page.keep(look, LOOK_MS);
}

function about({ it, ledger }) {
  const pause = ledger.paused_until_ms;
  const ends = it.made + it.ttl * 1_000;
  const breaker = pause
    ? [badge("left alone", "bad"), " after failures, tried again ", time(pause, until(pause))]
    : badge("delivering", "good");
  return [
    facts([
      ["Breaker", breaker],
      ["Confirmed", it.confirmed ? "yes" : "no (nothing is delivered before, if the service asks for it)"],
      ["Ends", time(ends, until(ends))],
      ["Life", length(it.ttl)],
      ["Lost for want of room", ledger.dropped ? badge(count(ledger.dropped), "bad") : null],
      ["Id", h("code", null, it.id)],
    ]),
    Object.keys(it.options).length ? h("details", { class: "options" }, h("summary", null, "Options"), body(it.options, "Options")) : null,
  ];
}

function outcome(test) {
  if (!test) return null;
  const word = test.delivered ? badge("delivered", "good") : badge("not delivered", "bad");
  return h(
    "section",
    { class: "outcome", "aria-label": "Outcome of the test" },
    h("h2", null, "The test"),
    facts([
      ["Outcome", word],
      ["Status", test.status],
      ["Error", test.error],
    ]),
    test.answer ? body(test.answer, "What the subscriber answered") : null,
  );
}

function ledger({ ledger }, redrive) {
  const { deliveries } = ledger;
  if (!deliveries.length) {
    return empty(
      "No deliveries yet",
      "What is posted to the queue from now on shows here: what waits, what is tried again, what was given up, and what was delivered lately. “Send a test” sends one message now, whatever waits.",
    );
  }
  const rows = deliveries.map((each) => ({ key: each.id, cells: cells(each, redrive) }));
  return [h("h2", null, "Deliveries"), table("Deliveries", COLUMNS, rows)];
}

function cells(each, redrive) {
  const again = { "aria-label": `Redrive the message ${each.id}`, "data-row": true };
  return [
    h("code", { title: each.id }, shortId(each.id)),
    badge(each.state === "dead" ? "given up" : each.state, KINDS[each.state]),
    each.attempts,
    each.status ?? "–",
    each.error || "",
    each.next_ms ? time(each.next_ms, until(each.next_ms)) : each.at_ms ? time(each.at_ms) : "",
    each.state === "dead" ? button("Redrive", () => redrive([each.id]), again) : "",
  ];
}
