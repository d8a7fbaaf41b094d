// Subscriptions, as rows, and making one.

import { queueAt } from "../addresses.js";
import { of } from "../api.js";
import { form } from "../dialogs.js";
import { h } from "../dom.js";
import { length } from "../format.js";
import { typed } from "../json.js";
import { button, field, input, link, table } from "../parts.js";

const COLUMNS = [
  ["Subscriber", "name"],
  ["Queue", "name"],
  ["Life", "number"],
  ["Options", "text"],
];

// `found` are `{id, queue, subscriber, ttl, confirmed, options}`.
export function subscriptionTable(label, found) {
  const rows = found.map((each) => ({
    key: `${each.queue} ${each.id}`,
    cells: [
      link(each.subscriber, queueAt(each.queue, "subscriptions", each.id), { "data-row": true }),
      link(each.queue, queueAt(each.queue)),
      length(each.ttl),
      h("span", { class: "preview" }, Object.keys(each.options ?? {}).join(", ")),
    ],
  }));
  return table(label, COLUMNS, rows);
}

export function subscribeButton(page, queue, after) {
  return button("Subscribe", () => askForSubscription(page, queue, after), { kind: "primary", "data-new": true });
}

function askForSubscription(page, queue, after) {
  const content = [
    queue ? null : field("Queue", input("queue", { required: true, autofocus: true })),
    field(
      "Subscriber",
      input("subscriber", { required: true, autofocus: Boolean(queue), placeholder: "https://hooks.example.org/in" }),
      "Where messages are delivered: https:, mailto:, queue:, amqp: … as far as the service is set up for it.",
    ),
    field("Life, in seconds", input("ttl", { type: "number", min: 60, value: "86400" }), "Subscribe again before it is over to keep it."),
    field("Options", h("textarea", { name: "options", rows: 4, spellcheck: "false" }, "{}"), "JSON, such as filters or _retry_schedule."),
  ];
  form(queue ? `Subscribe to ${queue}` : "Subscribe to a queue", content, {
    submit: "Subscribe",
    act: async (given) => {
      const name = queue ?? given.queue.trim();
      const order = { subscriber: given.subscriber.trim(), options: typed(given.options || "{}") };
      if (given.ttl) order.ttl = Number(given.ttl);
      await page.api.post(of(name, "subscriptions"), order);
      page.say("Subscribed.");
      after();
    },
  });
}
