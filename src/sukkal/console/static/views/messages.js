// A queue's messages, looked at without taking them.

import { of } from "../api.js";
import { curl } from "../curl.js";
import { ask } from "../dialogs.js";
import { h } from "../dom.js";
import { dated } from "../format.js";
import { button, empty, loading, search } from "../parts.js";
import { claimIdOf, messageTable } from "./message_rows.js";
import { postButton, queueHead, watch } from "./queue_head.js";

export function messages(page, { queue }) {
  const state = { found: null, next: null, opened: new Set(), filter: "" };
  const path = of(queue, "messages");

  const take = async (marker) => {
    const query = { echo: true, include_claimed: true, include_delayed: true };
    const answer = await page.api.get(path, { query: { ...query, detailed: true, marker }, signal: page.signal });
    const next = await page.api.after(path, answer, { query, signal: page.signal });
    const found = [...(marker ? state.found : []), ...answer.messages.map(dated)];
    Object.assign(state, { found, next });
    draw();
  };

  const look = () => take();
  const more = page.task(() => take(state.next));

  const toggle = (id) => {
    if (!state.opened.delete(id)) state.opened.add(id);
    draw();
  };

  const actions = (message) => [
    button("Delete", () => askToDelete(page, queue, message, look), { kind: "danger" }),
  ];

  function draw() {
    page.show(
      queue,
      ...queueHead(
        page,
        queue,
        "messages",
        head,
        search("Filter what is shown", state.filter, (event) => {
          state.filter = event.target.value.toLowerCase();
          draw();
        }),
        button("Look again", () => page.refresh()),
        postButton(page, queue, () => page.refresh()),
      ),
      content(),
    );
  }

  function content() {
    if (state.found === null) return loading();
    if (!state.found.length) return nothing(page, queue);
    const shown = state.found.filter((message) => matches(message, state.filter));
    return [
      shown.length
        ? messageTable(`Messages of ${queue}`, shown, { opened: state.opened, toggle, actions })
        : empty("Nothing of what is shown matches", "The filter looks at the ids and bodies on this page."),
      h(
        "nav",
        { class: "pager", "aria-label": "More messages" },
        h("span", null, `${state.found.length} shown, oldest first`),
        state.next ? button("More", more) : null,
      ),
    ];
  }

  const head = watch(page, queue, () => draw());
  draw();
  page.once(look);
}

function matches(message, filter) {
  return !filter || message.id.includes(filter) || JSON.stringify(message.body).toLowerCase().includes(filter);
}

function nothing(page, queue) {
  return empty(
    "No messages",
    "Looking takes nothing: messages stay until somebody claims and deletes them, or they expire. Post one:",
    curl(page.session, "POST", of(queue, "messages"), { messages: [{ body: { hello: "world" } }] }),
  );
}

function askToDelete(page, queue, message, after) {
  ask("Delete this message?", "Nobody will get it any more. This cannot be undone.", {
    submit: "Delete the message",
    act: async () => {
      const claim = claimIdOf(message);
      await page.api.delete(of(queue, "messages", message.id), { query: { claim_id: claim } });
      page.say("Message deleted.");
      await after();
    },
  });
}
