// Requests to the service. Everything the console does goes through here or through `socket.js`.

import { parse } from "./json.js";

const ROOT = new URL("../", document.baseURI);

// A refusal, as the service tells of it, with the request's id that its log knows.
export class Refused extends Error {
  constructor(status, title, description, requestId) {
    super(description || title);
    this.status = status;
    this.title = title;
    this.description = description;
    this.requestId = requestId;
  }
}

export class Api {
  // `onStranger` is called when the service does not know the token any more.
  constructor(session, onStranger) {
    this.session = session;
    this.onStranger = onStranger;
  }

  get(path, options) {
    return this.call("GET", path, options);
  }

  post(path, body, options) {
    return this.call("POST", path, { ...options, body });
  }

  put(path, body, options) {
    return this.call("PUT", path, { ...options, body });
  }

  patch(path, body, options) {
    return this.call("PATCH", path, { ...options, body });
  }

  delete(path, options) {
    return this.call("DELETE", path, options);
  }

  // Return the decoded answer, `null` if it has no body. `path` is below /v2, or as a link of an answer has it.
  async call(method, path, { body, query, headers, signal, keepalive } = {}) {
    const answer = await this.send(method, path, { body, query, headers, signal, keepalive });
    const text = await answer.text();
    if (answer.ok) return text ? parse(text) : null;
    throw this.refusal(answer, text);
  }

  // Return where a list goes on, `null` at its end. The service names a next page even then, for those who wait for more.
  async after(path, answer, { query, signal } = {}) {
    const marker = markerOf(answer.links);
    if (marker === null) return null;
    const next = await this.get(path, { query: { ...query, marker, limit: 1 }, signal });
    return Object.entries(next).some(([name, list]) => name !== "links" && list.length) ? marker : null;
  }

  // Return a page of a list whose answer is the list itself, and the path of the next page, if there is one.
  async page(path, options = {}) {
    const answer = await this.send("GET", path, options);
    const text = await answer.text();
    if (!answer.ok) throw this.refusal(answer, text);
    const next = /<([^>]*)>; rel="next"/.exec(answer.headers.get("link") ?? "");
    return [parse(text), next ? next[1] : null];
  }

  async send(method, path, { body, query, headers, signal, keepalive }) {
    const address = new URL(path.startsWith("/v2/") ? path.slice(1) : `v2${path}`, ROOT);
    for (const [name, value] of Object.entries(query ?? {})) {
      if (value !== undefined && value !== null && value !== "") address.searchParams.set(name, value);
    }
    const sent = { ...this.session.headers(), ...headers };
    if (body !== undefined) sent["Content-Type"] ??= "application/json";
    const text = body === undefined ? undefined : JSON.stringify(body);
    try {
      return await fetch(address, {
        ...{ method, headers: sent, body: text, signal, keepalive },
        ...{ cache: "no-store", credentials: "omit", redirect: "error", referrerPolicy: "no-referrer" },
      });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Refused(0, "The service does not answer", "It may be stopping, or the network is down.", null);
    }
  }

  refusal(answer, text) {
    let said = {};
    try {
      said = parse(text) ?? {};
    } catch {
      // What stands between may answer in words of its own.
    }
    const id = answer.headers.get("x-openstack-request-id");
    const refused = new Refused(answer.status, said.title ?? `Status ${answer.status}`, said.description ?? "", id);
    if (answer.status === 401) this.onStranger(refused);
    return refused;
  }
}

export function markerOf(links) {
  const next = links?.find((each) => each.rel === "next");
  return next ? new URL(next.href, document.baseURI).searchParams.get("marker") : null;
}

// The address of the WebSocket.
export function socketAddress() {
  const address = new URL("v2", ROOT);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  return address;
}

export async function describe(name) {
  const answer = await fetch(new URL(name, ROOT), { credentials: "omit" });
  return answer.json();
}

// The path of something below a queue.
export function of(queue, ...rest) {
  return ["/queues", queue, ...rest].map((part, index) => (index === 0 ? part : encodeURIComponent(part))).join("/");
}
