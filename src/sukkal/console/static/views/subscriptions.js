// The subscriptions of all queues.

import { curl } from "../curl.js";
import { h } from "../dom.js";
import { button, empty, heading, loading, search } from "../parts.js";
import { subscribeButton, subscriptionTable } from "./subscription_rows.js";

export function subscriptions(page) {
  const state = { found: null, next: null, filter: "" };

  const take = async (path) => {
    const [answer, next] = await page.api.page(path ?? "/subscriptions", { signal: page.signal });
    const found = answer.filter((each) => each.config?.queue).map(inOurWords);
    state.found = path ? [...state.found, ...found] : found;
    state.next = next;
    draw();
  };

  const more = page.task(() => take(state.next));

  function draw() {
    const filter = (event) => {
      state.filter = event.target.value.toLowerCase();
      draw();
    };
    page.show(
      "Subscriptions",
      heading(
        "Subscriptions",
        search("Filter what is shown", state.filter, filter),
        subscribeButton(page, null, () => page.refresh()),
      ),
      content(),
    );
  }

  function content() {
    if (state.found === null) return loading();
    if (!state.found.length && !state.next) return nothing(page);
    const shown = state.found.filter((each) => `${each.subscriber} ${each.queue}`.toLowerCase().includes(state.filter));
    return [
      shown.length ? subscriptionTable("Subscriptions", shown) : empty("None of those shown matches", "Part of a queue's name or of a subscriber is enough."),
      state.next ? h("nav", { class: "pager", "aria-label": "More subscriptions" }, button("More", more)) : null,
    ];
  }

  draw();
  page.once(() => take());
}

// From the words of the CloudEvents Subscriptions API, in which those of all queues are listed.
export function inOurWords({ id, sink, config, source, types, filters, protocolsettings }) {
  const { queue, ttl, ...options } = config;
  const chosen = Object.entries({ source, types, filters, ...protocolsettings }).filter(([, value]) => value !== undefined);
  return { id: id.split("~").at(-1), queue, subscriber: sink, ttl, options: { ...options, ...Object.fromEntries(chosen) } };
}

function nothing(page) {
  return empty(
    "No subscriptions yet",
    "A subscription has what is posted to a queue delivered: to a webhook, a mailbox, another queue, a broker. What cannot be delivered is tried again, and kept when it was given up. Subscribe a webhook to the queue hello:",
    curl(page.session, "POST", "/queues/hello/subscriptions", { subscriber: "https://hooks.example.org/in", ttl: 86_400 }),
  );
}
