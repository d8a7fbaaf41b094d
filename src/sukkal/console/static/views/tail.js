// What is posted to a queue, as it is posted. Listening takes nothing.

import { of } from "../api.js";
import { curl } from "../curl.js";
import { h, patch } from "../dom.js";
import { count } from "../format.js";
import { oneLine, pretty } from "../json.js";
import { badge, button, empty, search } from "../parts.js";
import { Samples, sparkline } from "../rates.js";
import { Tail } from "../socket.js";
import { shortId } from "./message_rows.js";
import { postButton, queueHead, watch } from "./queue_head.js";

const LINES_MAX = 500;
const SAY_MS = 5_000;
const COUNT_MS = 1_000;
const PLOT_MS = 60_000;
const DOTS = { live: "good", connecting: "warm", waiting: "warm", refused: "bad", stopped: "quiet" };

export function tail(page, { queue }) {
  const state = { word: "connecting", text: "Connecting …", paused: false, heard: 0, waiting: [], filter: "", said: 0 };
  const lines = () => document.querySelector("#view .lines");
  const rates = new Samples(PLOT_MS);
  let drawing = 0;
  let counted = 0;

  const socket = new Tail(page.session, queue, {
    message(message) {
      state.heard += 1;
      state.waiting.push([message, Date.now()]);
      // What nobody can see any more need not be kept while it is paused.
      if (state.waiting.length > LINES_MAX) state.waiting.shift();
      drawing ||= requestAnimationFrame(flush);
    },
    state(word, text) {
      Object.assign(state, { word, text });
      draw();
    },
    gap() {
      state.waiting.push([null, Date.now()]);
      drawing ||= requestAnimationFrame(flush);
    },
  });

  // However many come, they are shown once for each picture that the screen shows.
  function flush() {
    drawing = 0;
    if (page.over) return;
    if (!state.paused) {
      const news = state.waiting.splice(0).map(([message, at]) => (message ? line(message, at) : gapLine()));
      for (const each of news) each.hidden = !passes(each, state.filter);
      lines().prepend(...news.reverse());
      while (lines().childElementCount > LINES_MAX) lines().lastElementChild.remove();
    }
    draw();
  }

  const pause = () => {
    state.paused = !state.paused;
    flush();
  };

  const clear = () => {
    lines().replaceChildren();
    draw();
  };

  const filter = (event) => {
    state.filter = event.target.value.toLowerCase();
    for (const each of lines().children) each.hidden = !passes(each, state.filter);
  };

  function draw() {
    const shown = lines()?.childElementCount ?? 0;
    page.show(
      `${queue}: live tail`,
      ...queueHead(
        page,
        queue,
        "tail",
        head,
        search("Filter the lines", state.filter, filter),
        button(state.paused ? "Go on" : "Pause", pause, { "aria-pressed": String(state.paused) }),
        button("Clear", clear),
        postButton(page, queue, () => {}),
      ),
      h(
        "p",
        { class: "tail-state" },
        badge(state.paused ? "Paused" : state.text, state.paused ? "warm" : DOTS[state.word]),
        h("span", null, `${count(state.heard)} heard`),
        perSecond(rates.of("heard")),
        state.paused && state.waiting.length ? h("span", null, `${count(state.waiting.length)} wait to be shown`) : null,
        shown >= LINES_MAX ? h("span", null, `the last ${LINES_MAX} are shown`) : null,
      ),
      shown || state.word !== "live" ? null : silence(page, queue),
      h("div", { class: "lines", "data-key": "lines", "data-own": true, role: "log", "aria-live": "off", "aria-label": "Messages", tabindex: 0 }),
    );
  }

  const head = watch(page, queue, () => draw());
  const speaking = setInterval(() => {
    if (state.heard > state.said) page.say(`${count(state.heard - state.said)} new messages`);
    state.said = state.heard;
  }, SAY_MS);
  const counting = setInterval(() => {
    rates.add("heard", state.heard - counted);
    counted = state.heard;
    draw();
  }, COUNT_MS);
  page.leaving.push(() => clearInterval(speaking), () => clearInterval(counting));
  page.leaving.push(() => socket.stop());
  page.refresh = () => {};
  socket.start();
}

function perSecond(samples) {
  if (!samples.length) return null;
  const rate = samples.at(-1).value;
  const label = `${rate} messages a second, and the minute before`;
  return h("span", { class: "rate" }, `${count(rate)}/s`, sparkline(samples, label, { height: 18, windowMs: PLOT_MS }));
}

function line(message, at) {
  const id = message.message_id ?? "";
  const show = h("pre", { tabindex: 0 });
  const details = h(
    "details",
    {
      // The whole body is laid out only for who wants to see it.
      ontoggle: () => patch(show, details.open ? pretty(message.body) : ""),
    },
    h(
      "summary",
      { "data-row": true },
      h("time", { datetime: new Date(at).toISOString() }, new Date(at).toISOString().slice(11, 23)),
      h("code", { title: id }, shortId(id)),
      h("span", { class: "preview" }, oneLine(message.body)),
    ),
    show,
  );
  return h("div", { class: "line" }, details);
}

function gapLine() {
  return h("div", { class: "line gap" }, "Something is missing here: it was gone before the connection was back. Give the queue a _history to hear it.");
}

function passes(line, filter) {
  return !filter || line.textContent.toLowerCase().includes(filter);
}

function silence(page, queue) {
  return empty(
    "Listening. Nothing was posted yet",
    "Each message shows here the moment it is posted, and stays in the queue. After a break the tail goes on where it was. Try it:",
    curl(page.session, "POST", of(queue, "messages"), { messages: [{ body: { hello: "world" } }] }),
  );
}
