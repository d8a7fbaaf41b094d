// Who gets what is posted to a queue.

import { of } from "../api.js";
import { curl } from "../curl.js";
import { h } from "../dom.js";
import { button, empty, loading } from "../parts.js";
import { queueHead, watch } from "./queue_head.js";
import { subscribeButton, subscriptionTable } from "./subscription_rows.js";

export function queueSubscriptions(page, { queue }) {
  const state = { found: null, next: null };
  const path = of(queue, "subscriptions");

  const take = async (marker) => {
    const answer = await page.api.get(path, { query: { marker }, signal: page.signal });
    const found = answer.subscriptions.map((each) => ({ ...each, queue }));
    state.found = marker ? [...state.found, ...found] : found;
    state.next = await page.api.after(path, answer, { signal: page.signal });
    draw();
  };

  const more = page.task(() => take(state.next));

  function draw() {
    const subscribe = subscribeButton(page, queue, () => page.refresh());
    page.show(`${queue}: subscriptions`, ...queueHead(page, queue, "subscriptions", head, subscribe), content());
  }

  function content() {
    if (state.found === null) return loading();
    if (!state.found.length) return nothing(page, path);
    return [
      subscriptionTable(`Subscriptions of ${queue}`, state.found),
      state.next ? h("nav", { class: "pager", "aria-label": "More subscriptions" }, button("More", more)) : null,
    ];
  }

  const head = watch(page, queue, () => draw());
  draw();
  page.once(() => take());
}

function nothing(page, path) {
  return empty(
    "Nobody is subscribed",
    "A subscription has everything that is posted to the queue delivered to a URL, a mailbox, another queue or a broker, with retries. Subscribe a webhook:",
    curl(page.session, "POST", path, { subscriber: "https://hooks.example.org/in", ttl: 86_400 }),
  );
}
