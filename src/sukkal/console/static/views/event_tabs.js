// What stands above everything about events.

import { EVENTS, SEARCHES, TYPES } from "../addresses.js";
import { tabs } from "../parts.js";

export function eventTabs(current) {
  const items = [
    ["events", "Search", EVENTS],
    ["types", "Catalogue", TYPES],
    ["searches", "Saved searches", SEARCHES],
  ];
  return tabs("Parts of events", items, current);
}
