// The addresses of views.

export const QUEUES = "#/queues";
export const SUBSCRIPTIONS = "#/subscriptions";
export const EVENTS = "#/events";
export const TYPES = "#/events/types";
export const SEARCHES = "#/events/searches";
export const DEAD_LETTERS = "#/dead-letters";
export const SERVICE = "#/service";

export function queueAt(name, ...rest) {
  return [QUEUES, name, ...rest].map((part, index) => (index === 0 ? part : encodeURIComponent(part))).join("/");
}
