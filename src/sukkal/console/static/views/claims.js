// Taking messages for a while, and who else does.

import { of } from "../api.js";
import { curl } from "../curl.js";
import { ask } from "../dialogs.js";
import { h } from "../dom.js";
import { dated, length } from "../format.js";
import { CLAIM_TTL_S } from "../held.js";
import { badge, button, empty, input, loading, table, time } from "../parts.js";
import { claimIdOf, messageTable, shortId } from "./message_rows.js";
import { queueHead, watch } from "./queue_head.js";

const LOOK_MS = 5_000;
const COLUMNS = [
  ["Claim", "name"],
  ["Begun", "number"],
  ["Lasts", "number"],
  ["Messages", "number"],
  ["Actions", "end"],
];

export function claims(page, { queue }) {
  const state = { found: null, messages: new Map(), shown: new Set(), opened: new Set(), limit: "5" };
  const { held } = page.app;

  const look = async () => {
    const answer = await page.api.get(of(queue, "claims"), { signal: page.signal });
    state.found = answer.claims.map(dated);
    for (const id of [...state.shown]) {
      if (state.found.some((claim) => claim.id === id)) state.messages.set(id, await read(id));
      else state.shown.delete(id);
    }
    draw();
  };

  const read = async (id) => {
    const claim = await page.api.get(of(queue, "claims", id), { query: { detailed: true }, signal: page.signal });
    return claim.messages.map(dated);
  };

  const take = page.task(async () => {
    const answer = await page.api.post(
      of(queue, "claims"),
      { ttl: CLAIM_TTL_S, grace: 60 },
      { query: { limit: state.limit, detailed: true } },
    );
    if (answer === null) page.say("There is nothing to claim now.");
    else {
      const id = claimIdOf(answer.messages[0]);
      held.add(id, queue);
      state.messages.set(id, answer.messages.map(dated));
      state.shown.add(id);
      page.say(`${answer.messages.length} messages claimed. They are released when you leave the queue.`);
    }
    await look();
  });

  const show = page.task(async (id) => {
    if (!state.shown.delete(id)) {
      state.messages.set(id, await read(id));
      state.shown.add(id);
    }
    draw();
  });

  const release = page.task(async (id) => {
    await page.api.delete(of(queue, "claims", id));
    held.forget(id);
    state.shown.delete(id);
    page.say("Claim released.");
    await look();
  });

  const releaseSafely = (id) => {
    if (held.has(id)) return release(id);
    const text = "Somebody else made it and may be at work on its messages; others will get them again.";
    return ask("Release this claim?", text, { submit: "Release", act: () => release(id) });
  };

  const finish = page.task(async (message) => {
    await page.api.delete(of(queue, "messages", message.id), { query: { claim_id: claimIdOf(message) } });
    page.say("Message deleted.");
    await look();
  });

  const giveBack = page.task(async (message) => {
    await page.api.patch(of(queue, "claims", claimIdOf(message), "messages", message.id), {});
    page.say("Message given back.");
    await look();
  });

  const toggle = (id) => {
    if (!state.opened.delete(id)) state.opened.add(id);
    draw();
  };

  const actions = (message) => [
    button("Done: delete it", () => finish(message), { kind: "primary" }),
    button("Give it back", () => giveBack(message)),
  ];

  function draw() {
    const limit = input("limit", {
      ...{ type: "number", min: 1, max: 20, value: state.limit, "aria-label": "How many messages", class: "short" },
      oninput: (event) => (state.limit = event.target.value),
    });
    const claim = button("Claim messages", take, { kind: "primary", "data-new": true });
    page.show(`${queue}: claims`, ...queueHead(page, queue, "claims", head, limit, claim), content());
  }

  function content() {
    if (state.found === null) return loading();
    if (!state.found.length) return nothing(page, queue);
    return [
      h("p", { class: "hint" }, "Claims that you make here are renewed while you stay with the queue, and released when you leave it."),
      table(`Claims on ${queue}`, COLUMNS, state.found.flatMap(rows)),
    ];
  }

  function rows(claim) {
    const shown = state.shown.has(claim.id);
    const messages = state.messages.get(claim.id) ?? [];
    const expand = { class: "expand", type: "button", "aria-expanded": String(shown), "data-row": true };
    const row = {
      key: claim.id,
      class: shown ? "opened" : "",
      cells: [
        [
          h("button", { ...expand, onclick: () => show(claim.id) }, shortId(claim.id)),
          held.has(claim.id) ? badge("yours", "good") : null,
        ],
        time(claim.made),
        length(claim.ttl),
        shown ? messages.length : "",
        button("Release", () => releaseSafely(claim.id), { "aria-label": `Release the claim ${claim.id}` }),
      ],
    };
    if (!shown) return [row];
    const inside = messageTable(`Messages of the claim ${claim.id}`, messages, { opened: state.opened, toggle, actions });
    return [row, { key: `${claim.id}+`, wide: inside }];
  }

  const head = watch(page, queue, () => draw());
  draw();
  page.keep(look, LOOK_MS);
}

function nothing(page, queue) {
  return empty(
    "Nobody holds a claim",
    "A worker claims messages for a while, does its work, and deletes them. If it dies, its claim ends and others get the messages. A worker begins like this:",
    curl(page.session, "POST", `${of(queue, "claims")}?limit=5`, { ttl: 300, grace: 60 }),
  );
}
