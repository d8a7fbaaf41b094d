// What a queue is told about itself.

import { of } from "../api.js";
import { form } from "../dialogs.js";
import { h } from "../dom.js";
import { pretty, typed } from "../json.js";
import { button, field, input, loading, table } from "../parts.js";
import { askToDelete, askToPurge, queueHead, watch } from "./queue_head.js";

const PATCH_TYPE = "application/openstack-messaging-v2.0-json-patch";
// What is shown of every queue, whether somebody has set it or not.
const ALWAYS = new Set([
  ...["_max_messages_post_size", "_default_message_ttl", "_default_message_delay", "_dead_letter_queue"],
  ...["_dead_letter_queue_messages_ttl", "_max_claim_count", "_enable_encrypt_messages"],
]);
const COLUMNS = [
  ["Attribute", "name"],
  ["Value", "text"],
  ["Actions", "end"],
];

export function attributes(page, { queue }) {
  const state = { metadata: null };

  const look = async () => {
    state.metadata = await page.api.get(of(queue), { signal: page.signal });
    draw();
  };

  const change = async (changes) => {
    state.metadata = await page.api.patch(of(queue), changes, { headers: { "Content-Type": PATCH_TYPE } });
    page.say("Attributes changed.");
    draw();
  };

  const set = (name = "", value = "") => {
    const content = [
      field("Attribute", input("name", { value: name, required: true, autofocus: !name }), "Such as _max_claim_count, or a word of your own."),
      field("Value", h("textarea", { name: "value", rows: 3, value, autofocus: Boolean(name) }), "JSON, or any text."),
    ];
    form(name ? `Change ${name}` : "Set an attribute", content, {
      submit: "Set",
      act: (given) => change([{ op: "add", path: `/metadata/${escaped(given.name.trim())}`, value: typed(given.value) }]),
    });
  };

  const remove = page.task((name) => change([{ op: "remove", path: `/metadata/${escaped(name)}` }]));

  function draw() {
    page.show(
      `${queue}: attributes`,
      ...queueHead(
        page,
        queue,
        "attributes",
        head,
        button("Delete all messages", () => askToPurge(page, queue, () => {}), { kind: "danger" }),
        button("Delete the queue", () => askToDelete(page, queue), { kind: "danger" }),
        button("Set an attribute", () => set(), { kind: "primary", "data-new": true }),
      ),
      state.metadata === null ? loading() : table(`Attributes of ${queue}`, COLUMNS, Object.entries(state.metadata).map(row)),
    );
  }

  function row([name, value]) {
    return {
      key: name,
      cells: [
        h("code", null, name),
        h("pre", { class: "value" }, pretty(value)),
        h(
          "div",
          { class: "actions" },
          button("Change", () => set(name, typeof value === "string" ? value : JSON.stringify(value, null, 2)), {
            "aria-label": `Change ${name}`,
            "data-row": true,
          }),
          ALWAYS.has(name) ? null : button("Remove", () => remove(name), { "aria-label": `Remove ${name}` }),
        ),
      ],
    };
  }

  const head = watch(page, queue, () => draw());
  draw();
  page.once(look);
}

function escaped(name) {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}
