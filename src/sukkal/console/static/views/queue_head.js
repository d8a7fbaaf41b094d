// What stands above everything that is shown of one queue.

import { QUEUES, queueAt } from "../addresses.js";
import { of } from "../api.js";
import { ask, form } from "../dialogs.js";
import { h } from "../dom.js";
import { count } from "../format.js";
import { typed } from "../json.js";
import { button, field, heading, input, tabs, time, trail } from "../parts.js";
import { rateText, sparkline } from "../rates.js";
import { datedStats } from "./queues.js";

const LOOK_MS = 5_000;

// Keep looking at how full the queue is, and redraw.
export function watch(page, name, draw) {
  const head = { stats: null, gone: false };
  const look = async () => {
    if (document.hidden) return;
    try {
      const answer = await page.api.get(of(name, "stats"), { signal: page.signal });
      head.stats = datedStats(answer.messages);
      page.app.samples.add(name, head.stats.total);
      draw();
    } catch (error) {
      // Who may not see it will not the next time either; all else may pass.
      if (error.status === 403) clearInterval(timer);
    }
  };
  const timer = setInterval(look, LOOK_MS);
  page.leaving.push(() => clearInterval(timer));
  look();
  return head;
}

export function queueHead(page, name, tab, head, ...beside) {
  const items = [
    ["messages", "Messages", queueAt(name)],
    ["tail", "Live tail", queueAt(name, "tail")],
    ["claims", "Claims", queueAt(name, "claims")],
    ["subscriptions", "Subscriptions", queueAt(name, "subscriptions")],
    ["attributes", "Attributes", queueAt(name, "attributes")],
  ];
  return [
    trail(["Queues", QUEUES], [name, null]),
    heading(name, beside),
    figures(page, name, head.stats),
    tabs(`Parts of ${name}`, items, tab),
  ];
}

function figures(page, name, stats) {
  const depths = page.app.samples.of(name);
  const figure = (label, value) => h("div", { class: "figure" }, h("dt", null, label), h("dd", null, value));
  return h(
    "dl",
    { class: "figures" },
    figure("Free", stats ? count(stats.free - (stats.delayed ?? 0)) : "·"),
    figure("Claimed", stats ? count(stats.claimed) : "·"),
    figure("Delayed", stats ? count(stats.delayed ?? 0) : "·"),
    figure("Oldest", stats?.oldest ? time(stats.oldest.made) : "–"),
    figure("Change", rateText(page.app.samples.rate(name))),
    figure("Depth, 5 min", sparkline(depths, `Depth of ${name}: ${depths.at(-1)?.value ?? 0} messages now`, { width: 180, height: 34 })),
  );
}

export function askForMessage(page, name, after) {
  const body = h("textarea", { name: "body", rows: 8, required: true, autofocus: true, spellcheck: "false" });
  const content = [
    field("Body", body, "JSON, or any text. Numbers are sent with all their digits."),
    h(
      "div",
      { class: "side-by-side" },
      field("Life, in seconds", input("ttl", { type: "number", min: 60, placeholder: "default" })),
      field("Delay, in seconds", input("delay", { type: "number", min: 0, placeholder: "none" })),
      field("How many", input("copies", { type: "number", min: 1, max: 20, value: "1" })),
    ),
  ];
  form(`Post to ${name}`, content, {
    submit: "Post",
    act: async (given) => {
      const message = { body: typed(given.body) };
      if (given.ttl) message.ttl = Number(given.ttl);
      if (given.delay) message.delay = Number(given.delay);
      const copies = Math.max(1, Math.min(20, Number(given.copies) || 1));
      await page.api.post(of(name, "messages"), { messages: Array(copies).fill(message) });
      page.say(copies === 1 ? "Message posted." : `${copies} messages posted.`);
      after();
    },
  });
}

export function postButton(page, name, after) {
  return button("Post a message", () => askForMessage(page, name, after), { kind: "primary", "data-new": true });
}

export function askToDelete(page, name) {
  ask(`Delete the queue ${name}?`, "All its messages, claims and subscriptions go with it. This cannot be undone.", {
    submit: "Delete the queue",
    act: async () => {
      await page.api.delete(of(name));
      page.say(`Queue ${name} deleted.`);
      location.hash = QUEUES;
    },
  });
}

export function askToPurge(page, name, after) {
  ask(`Delete all messages of ${name}?`, "Subscriptions and attributes stay. This cannot be undone.", {
    submit: "Delete all messages",
    act: async () => {
      await page.api.post(of(name, "purge"), { resource_types: ["messages"] });
      page.say("All messages deleted.");
      after();
    },
  });
}
