// How the service is: what the project keeps, and for admins whether every part works.

import { describe } from "../api.js";
import { h } from "../dom.js";
import { bytes, count } from "../format.js";
import { plain } from "../json.js";
import { badge, button, empty, heading, loading, table } from "../parts.js";

// Believed only where no token is asked for; else the token says who is an admin.
const AS_ADMIN = { "X-Roles": "admin" };
const OPERATIONS = [
  ["Operation", "name"],
  ["Outcome", ""],
  ["Took", "number"],
];
const POOLS = [
  ["Pool", "name"],
  ["State", ""],
  ["Weight", "number"],
  ["Flavor", "name"],
  ["URI", "text"],
];
const USAGE = [
  ["What", "name"],
  ["Kept", "number"],
  ["Limit", "number"],
  ["Used", "plot"],
];

export function service(page) {
  const state = { usage: null, health: null, pools: null };

  const look = async () => {
    state.usage = await page.api.get("/usage", { signal: page.signal });
    draw();
  };

  const check = page.task(async () => {
    const asked = { headers: AS_ADMIN, signal: page.signal };
    state.health = await forAdmins(() => page.api.get("/health", asked));
    const has = await offers("/v2/pools");
    state.pools = state.health && has ? await forAdmins(() => page.api.get("/pools", asked)) : null;
    draw();
    if (state.health) page.say(state.health.storage_reachable ? "Every operation works." : "Some operations fail.");
  });

  function draw() {
    const run = button("Check the health", check, { kind: "primary", "data-new": true });
    page.show("Service", heading("Service", run), usage(state.usage), health(state.health), pools(state.pools));
  }

  draw();
  page.once(look);
}

// Return what an admin gets, `false` for everybody else.
async function forAdmins(ask) {
  try {
    return await ask();
  } catch (error) {
    if (error.status === 403 || error.status === 404) return false;
    throw error;
  }
}

async function offers(path) {
  const { paths } = await describe("openapi.json");
  return Object.hasOwn(paths, path);
}

function usage(answer) {
  if (answer === null) return loading();
  const rows = Object.entries(answer.usage).map(([name, kept]) => {
    const limit = answer.limits[name];
    const shown = name === "bytes" ? bytes : count;
    return {
      key: name,
      cells: [
        name,
        shown(kept),
        limit === null || limit === undefined ? "none" : shown(limit),
        limit ? h("meter", { min: 0, max: limit, value: kept, low: limit * 0.8, high: limit * 0.95, optimum: 0, "aria-label": `${name} used` }) : "",
      ],
    };
  });
  return h("section", null, h("h2", null, `What the project ${answer.project} keeps`), table("Usage", USAGE, rows));
}

function health(answer) {
  const title = h("h2", null, "Health");
  if (answer === null) {
    return h("section", null, title, h("p", { class: "hint" }, "The check does what clients do on a queue of its own, and tells what works. It is for the role admin."));
  }
  if (answer === false) {
    return h("section", null, title, empty("Only for admins", "The check of the service's health needs the role admin. Whether the service makes progress is told to everybody at /healthz."));
  }
  const rows = Object.entries(answer.operation_status).map(([name, outcome]) => ({
    key: name,
    cells: [
      name.replaceAll("_", " "),
      outcome.succeeded ? badge("works", "good") : badge(outcome.ref ?? "fails", "bad"),
      `${Math.round(plain(outcome.seconds) * 1_000)} ms`,
    ],
  }));
  const word = answer.storage_reachable ? badge("everything works", "good") : badge("not everything works", "bad");
  return h("section", null, h("h2", null, "Health ", word), table("Health", OPERATIONS, rows));
}

function pools(answer) {
  if (!answer) return null;
  const rows = answer.pools.map((pool) => ({
    key: pool.name,
    cells: [pool.name, poolState(pool), count(pool.weight), pool.flavor ?? "", h("code", null, pool.uri)],
  }));
  const content = rows.length ? table("Pools", POOLS, rows) : empty("No pools", "All queues are in the service's own store.");
  return h("section", null, h("h2", null, "Pools"), content);
}

function poolState(pool) {
  const state = badge(pool.status, pool.status === "up" ? "good" : "bad");
  const reason = pool.reason ? h("p", { class: "hint" }, pool.reason) : null;
  return [state, pool.draining ? [" ", badge("draining", "warm")] : null, reason];
}
