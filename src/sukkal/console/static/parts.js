// The pieces that views are made of.

import { h } from "./dom.js";
import { absolute, since } from "./format.js";
import { pretty } from "./json.js";

export function button(text, onclick, { kind = "", ...attributes } = {}) {
  return h("button", { type: "button", class: `button ${kind}`, onclick, ...attributes }, text);
}

export function link(text, href, attributes) {
  return h("a", { href, ...attributes }, text);
}

export function badge(text, kind = "") {
  return h("span", { class: `badge ${kind}` }, text);
}

// A time as people say it, with the exact one for who points at it.
export function time(ms, text = since(ms)) {
  return h("time", { datetime: new Date(ms).toISOString(), title: absolute(ms) }, text);
}

export function heading(text, ...beside) {
  return h("header", { class: "heading" }, h("h1", { id: "heading", tabindex: -1 }, text), h("div", { class: "beside" }, beside));
}

export function trail(...steps) {
  const items = steps.map(([text, href]) => h("li", null, href ? link(text, href) : h("span", null, text)));
  return h("nav", { class: "trail", "aria-label": "Where you are" }, h("ol", null, items));
}

export function tabs(label, items, current) {
  const links = items.map(([name, text, href]) =>
    link(text, href, { "aria-current": name === current ? "page" : null, "data-key": name }),
  );
  return h("nav", { class: "tabs", "aria-label": label }, links);
}

// `columns` are `[title, kind]`, `rows` are `{key, cells, class}`, or `{key, wide}` for something below a row.
export function table(label, columns, rows) {
  const head = columns.map(([title, kind]) => {
    const text = kind?.includes("unsaid") ? h("span", { class: "unseen" }, title) : title;
    return h("th", { scope: "col", class: kind }, text);
  });
  const body = rows.map((row) => {
    if (row.wide) return h("tr", { "data-key": row.key, class: "wide" }, h("td", { colspan: columns.length }, row.wide));
    const cells = row.cells.map((cell, index) => h("td", { class: columns[index][1] }, cell));
    return h("tr", { "data-key": row.key, class: row.class }, cells);
  });
  return h(
    "div",
    { class: "scroller", role: "region", "aria-label": label, tabindex: 0 },
    h("table", null, h("thead", null, h("tr", null, head)), h("tbody", null, body)),
  );
}

export function search(label, value, oninput) {
  const input = { type: "search", "data-search": true, placeholder: `${label}  /`, "aria-label": label, value };
  return h("input", { ...input, class: "search", autocomplete: "off", spellcheck: "false", oninput });
}

// A place with nothing in it says what belongs there and how to begin.
export function empty(title, text, command, ...actions) {
  return h(
    "section",
    { class: "empty" },
    h("h2", null, title),
    h("p", null, text),
    command ? code(command, "Command") : null,
    actions.length ? h("div", { class: "actions" }, actions) : null,
  );
}

export function loading() {
  return h("p", { class: "loading" }, "Loading …");
}

export function code(text, label) {
  return h(
    "div",
    { class: "code" },
    h("pre", { tabindex: 0, role: "region", "aria-label": label }, text),
    navigator.clipboard ? copyButton(text, label) : null,
  );
}

function copyButton(text, label) {
  const copy = async (event) => {
    const { target } = event;
    await navigator.clipboard.writeText(text);
    target.textContent = "Copied";
    setTimeout(() => (target.textContent = "Copy"), 1_500);
  };
  return h("button", { type: "button", class: "copy", "aria-label": `Copy: ${label}`, onclick: copy }, "Copy");
}

export function body(value, label = "Body") {
  return code(pretty(value), label);
}

export function facts(pairs) {
  const shown = pairs.filter(([, value]) => value !== undefined && value !== null && value !== "");
  return h(
    "dl",
    { class: "facts" },
    shown.map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value))),
  );
}

export function failure(error, { again, dismiss } = {}) {
  return h(
    "div",
    { class: "failure" },
    h("div", null, h("strong", null, error.title ?? "Something went wrong"), h("p", null, error.description ?? error.message)),
    error.requestId ? h("p", { class: "request" }, "Request ", h("code", null, error.requestId)) : null,
    again ? button("Try again", again) : null,
    dismiss ? button("Dismiss", dismiss) : null,
  );
}

let fields = 0;

export function field(label, control, hint) {
  fields += 1;
  control.id ||= `field-${fields}`;
  const hinted = `${control.id}-hint`;
  if (hint) control.setAttribute("aria-describedby", hinted);
  return h(
    "div",
    { class: control.type === "checkbox" ? "field check" : "field" },
    h("label", { for: control.id }, label),
    control,
    hint ? h("p", { class: "hint", id: hinted }, hint) : null,
  );
}

export function input(name, attributes) {
  return h("input", { name, autocomplete: "off", spellcheck: "false", ...attributes });
}
