// Messages as rows that open to show all there is to know.

import { h } from "../dom.js";
import { absolute, length, until } from "../format.js";
import { oneLine } from "../json.js";
import { badge, body, facts, table, time } from "../parts.js";

const COLUMNS = [
  ["Message", "name"],
  ["Posted", "number"],
  ["Expires", "number"],
  ["Claims", "number"],
  ["Body", "text"],
];

// `opened` is a set of ids; `actions(message)` gives buttons for an open one.
export function messageTable(label, messages, { opened, toggle, actions, more = () => [] }) {
  const rows = messages.flatMap((message) => {
    const open = opened.has(message.id);
    const row = { key: message.id, class: open ? "opened" : "", cells: cells(message, open, () => toggle(message.id)) };
    return open ? [row, { key: `${message.id}+`, wide: detail(message, actions(message), more(message)) }] : [row];
  });
  return table(label, COLUMNS, rows);
}

export function claimIdOf(message) {
  return message.href ? new URL(message.href, document.baseURI).searchParams.get("claim_id") : null;
}

function cells(message, open, toggle) {
  const expand = { class: "expand", type: "button", "aria-expanded": String(open), "data-row": true, onclick: toggle };
  const ends = message.made + message.ttl * 1_000;
  return [
    [h("button", expand, shortId(message.id)), claimIdOf(message) ? badge("claimed", "warm") : null],
    time(message.made),
    time(ends, until(ends)),
    message.claim_count ?? "",
    h("span", { class: "preview" }, oneLine(message.body)),
  ];
}

// An id begins with the time; what comes next tells those apart that came together.
export function shortId(id) {
  return id.length > 20 ? `${id.slice(9, 18)}…${id.slice(-4)}` : id;
}

function detail(message, actions, more) {
  return h(
    "div",
    { class: "detail" },
    facts([
      ["Id", h("code", null, message.id)],
      ["Posted", absolute(message.made)],
      ["Life", length(message.ttl)],
      ["Claimed so far", message.claim_count],
      ["Claim", claimIdOf(message) ? h("code", null, claimIdOf(message)) : null],
      ["Reply to", message.reply_to],
      ["Correlation id", message.correlation_id],
      ["Checksum", message.checksum],
      ...deadLetterFacts(message.dead_letter),
      ...more,
    ]),
    body(message.body, `Body of the message ${message.id}`),
    actions.length ? h("div", { class: "actions" }, actions) : null,
  );
}

export function deadLetterFacts(letter) {
  if (!letter) return [];
  return [
    ["Dead because", reasonOf(letter)],
    ["Came from", letter.queue],
    ["Subscriber", letter.subscriber],
    ["Last status", letter.status],
    ["Last error", letter.error],
  ];
}

const REASONS = {
  max_claim_count: (letter) => `claimed ${letter.claim_count === 1 ? "once" : `${letter.claim_count} times`} and never deleted`,
  attempts: () => "not delivered by any attempt",
  permanent: () => "refused by the subscriber for good",
  gone: () => "the subscriber is gone",
};

export function reasonOf(letter) {
  return REASONS[letter.reason]?.(letter) ?? letter.reason;
}
