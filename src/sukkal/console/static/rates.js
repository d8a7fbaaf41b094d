// What was seen while the page was open: plots of it, and how fast it changes.

import { h } from "./dom.js";

const WINDOW_MS = 300_000;
const WIDTH = 120;
const HEIGHT = 24;

export class Samples {
  constructor(windowMs = WINDOW_MS) {
    this.windowMs = windowMs;
    this.byName = new Map();
  }

  add(name, value, at = performance.now()) {
    const samples = this.byName.get(name) ?? [];
    samples.push({ value, at });
    while (samples[0].at < at - this.windowMs) samples.shift();
    this.byName.set(name, samples);
  }

  of(name) {
    return this.byName.get(name) ?? [];
  }

  // Return the change per minute over what is kept, `null` before there are two samples.
  rate(name) {
    const samples = this.of(name);
    if (samples.length < 2) return null;
    const [first, last] = [samples[0], samples.at(-1)];
    return ((last.value - first.value) / (last.at - first.at)) * 60_000;
  }
}

export function rateText(rate) {
  if (rate === null) return "–";
  const shown = Math.abs(rate) < 10 ? Math.round(rate * 10) / 10 : Math.round(rate);
  if (shown === 0) return "steady";
  return `${shown > 0 ? "+" : "−"}${Math.abs(shown).toLocaleString("en")}/min`;
}

// A plot over the window, the newest on the right.
export function sparkline(samples, label, { width = WIDTH, height = HEIGHT, windowMs = WINDOW_MS } = {}) {
  const most = Math.max(1, ...samples.map((sample) => sample.value));
  const last = samples.at(-1)?.at ?? 0;
  const points = samples.map(({ value, at }) => {
    const x = width * (1 - (last - at) / windowMs);
    const y = height - 2 - (value / most) * (height - 4);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  const from = points.length ? points[0].split(",")[0] : width;
  const area = points.length > 1 ? `${from},${height} ${points.join(" ")} ${width},${height}` : "";
  return h(
    "svg",
    { class: "spark", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label },
    h("line", { class: "spark-base", x1: 0, y1: height - 1, x2: width, y2: height - 1 }),
    h("polygon", { class: "spark-area", points: area }),
    h("polyline", { class: "spark-line", points: points.join(" ") }),
  );
}
