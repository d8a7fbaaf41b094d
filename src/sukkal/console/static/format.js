// Numbers and times for people.

const STEPS = [
  [86_400 * 365, "y"],
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
  [1, "s"],
];

export function count(number) {
  return Number(number).toLocaleString("en");
}

// A length of time in its largest unit, such as `3 min`.
export function length(seconds) {
  const [unit, word] = STEPS.find(([size]) => Math.abs(seconds) >= size) ?? [1, "s"];
  return `${Math.floor(seconds / unit)} ${word}`;
}

export function bytes(number) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let size = Number(number);
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${unit && size < 10 ? size.toFixed(1) : Math.round(size)} ${units[unit]}`;
}

export function absolute(ms) {
  return new Date(ms).toISOString().replace("T", " ").replace(/\.\d+Z$/, " UTC");
}

// The service tells ages, which are right only at that moment: from them, when things came into being.
export function dated(item) {
  return { ...item, made: Date.now() - item.age * 1_000 };
}

export function since(ms, now = Date.now()) {
  return now - ms < 1_000 ? "now" : `${length((now - ms) / 1_000)} ago`;
}

export function until(ms, now = Date.now()) {
  return ms <= now ? "now" : `in ${length((ms - now) / 1_000)}`;
}
