// Which address shows what. Addresses stand behind the #, so no server sees them, and hold names alone, never secrets.

import { catalogue } from "./views/catalogue.js";
import { claims } from "./views/claims.js";
import { deadLetters } from "./views/dead_letters.js";
import { events } from "./views/events.js";
import { messages } from "./views/messages.js";
import { attributes } from "./views/attributes.js";
import { queues } from "./views/queues.js";
import { queueSubscriptions } from "./views/queue_subscriptions.js";
import { searches } from "./views/searches.js";
import { service } from "./views/service.js";
import { subscription } from "./views/subscription.js";
import { subscriptions } from "./views/subscriptions.js";
import { tail } from "./views/tail.js";

const ROUTES = [
  ["queues", queues, null],
  ["queues/:queue", messages, "queues"],
  ["queues/:queue/tail", tail, "queues"],
  ["queues/:queue/claims", claims, "queues"],
  ["queues/:queue/attributes", attributes, "queues"],
  ["queues/:queue/subscriptions", queueSubscriptions, "queues"],
  ["queues/:queue/subscriptions/:id", subscription, "queues/:queue/subscriptions"],
  ["subscriptions", subscriptions, null],
  ["events", events, null],
  ["events/types", catalogue, "events"],
  ["events/searches", searches, "events"],
  ["dead-letters", deadLetters, null],
  ["service", service, null],
];

export function find(hash) {
  const parts = partsOf(hash);
  for (const [pattern, view, parent] of ROUTES) {
    const parameters = match(pattern.split("/"), parts);
    if (parameters) return { view, parameters, section: parts[0], parent };
  }
  return { view: queues, parameters: {}, section: "queues", parent: null };
}

export function parentOf(hash) {
  const { parent, parameters } = find(hash);
  if (!parent) return null;
  return `#/${parent.replaceAll(/:(\w+)/g, (_, name) => encodeURIComponent(parameters[name]))}`;
}

function partsOf(hash) {
  return hash.replace(/^#\/?/, "").split("/").filter(Boolean).map(decode);
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function match(pattern, parts) {
  if (pattern.length !== parts.length) return null;
  const parameters = {};
  for (const [index, piece] of pattern.entries()) {
    if (piece.startsWith(":")) parameters[piece.slice(1)] = parts[index];
    else if (piece !== parts[index]) return null;
  }
  return parameters;
}
