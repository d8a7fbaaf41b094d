// Elements from descriptions, and changing what is shown into what should be shown.
//
// `h` makes real elements. Text is only ever set as text, never parsed, so what tenants post stays text. `patch` keeps
// the elements that are there, and with them the focus, what was typed, and how far something was scrolled.

const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "path", "circle", "line", "polyline", "polygon", "rect"]);

// Set once, when an element comes into being: from then on they belong to the person in front of it.
const OWN = new Set(["value", "checked", "open", "selected"]);

export function h(tag, attributes, ...children) {
  const element = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on") || name === "value" || name === "checked") element[name] = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

function append(parent, children) {
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false || child === "") continue;
    if (child instanceof Node) parent.append(child);
    else parent.append(document.createTextNode(typeof child === "object" ? JSON.stringify(child) : String(child)));
  }
}

// Change the children of a parent into these.
export function patch(parent, ...children) {
  const wanted = document.createElement("div");
  append(wanted, children);
  const focused = document.activeElement;
  patchChildren(parent, [...wanted.childNodes]);
  // Whatever is moved loses the focus.
  if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
}

function patchChildren(parent, wanted) {
  const keyed = new Map();
  const staying = new Set(wanted.map(keyOf));
  for (const child of [...parent.childNodes]) {
    const key = keyOf(child);
    if (key !== null && !staying.has(key)) child.remove();
    else if (key !== null) keyed.set(key, child);
  }
  let place = parent.firstChild;
  for (const next of wanted) {
    const key = keyOf(next);
    const old = key === null ? unkeyed(place) : (keyed.get(key) ?? null);
    if (old !== null && alike(old, next)) {
      if (old === place) place = place.nextSibling;
      else parent.insertBefore(old, place);
      patchNode(old, next);
    } else {
      parent.insertBefore(next, place);
    }
  }
  while (place !== null) {
    const gone = place;
    place = place.nextSibling;
    gone.remove();
  }
}

function keyOf(node) {
  return node.nodeType === Node.ELEMENT_NODE ? node.getAttribute("data-key") : null;
}

function unkeyed(node) {
  return node !== null && keyOf(node) === null ? node : null;
}

function alike(old, next) {
  return old.nodeType === next.nodeType && old.nodeName === next.nodeName;
}

function patchNode(old, next) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== next.data) old.data = next.data;
    return;
  }
  // A part that takes care of itself, such as the lines of a tail, is left alone.
  if (old.hasAttribute("data-own")) return;
  for (const { name } of [...old.attributes]) {
    if (!next.hasAttribute(name) && !OWN.has(name)) old.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) {
    if (!OWN.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const handler of ["onclick", "onsubmit", "oninput", "onchange", "onkeydown", "ontoggle", "onscroll"]) {
    if (old[handler] !== next[handler]) old[handler] = next[handler];
  }
  if (old.nodeName !== "TEXTAREA") patchChildren(old, [...next.childNodes]);
}
