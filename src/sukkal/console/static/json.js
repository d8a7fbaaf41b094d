// JSON as it was sent: numbers that JavaScript would round keep their digits.

export function parse(text) {
  if (JSON.rawJSON === undefined) return JSON.parse(text);
  return JSON.parse(text, (_, value, { source } = {}) =>
    typeof value === "number" && String(value) !== source ? JSON.rawJSON(source) : value,
  );
}

// A number of the service's own, which nobody has to see with all its digits.
export function plain(value) {
  return typeof value === "number" ? value : Number(JSON.stringify(value));
}

// Bodies are often JSON in a text; it is shown as what it is, without any change.
export function pretty(value) {
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

export function oneLine(value, most = 200) {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

// What is typed as a body: JSON if it is that, else a text.
export function typed(text) {
  try {
    return parse(text);
  } catch {
    return text;
  }
}
