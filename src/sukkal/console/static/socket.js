// Listening to a queue over a WebSocket. After a break it goes on where it was, and says so if something was missed.

import { socketAddress } from "./api.js";
import { parse } from "./json.js";

const PAUSES_MS = [500, 1000, 2000, 5000];

export class Tail {
  // `on` has `message(message)`, `state(word, text)` and `gap()`. States: connecting, live, waiting, refused, stopped.
  constructor(session, queue, on, { options = {} } = {}) {
    Object.assign(this, { session, queue, on, options, position: true, tries: 0, socket: null, timer: null });
  }

  start() {
    this.on.state("connecting", "Connecting …");
    const socket = new WebSocket(socketAddress());
    this.socket = socket;
    socket.onopen = () => this.greet();
    socket.onmessage = (event) => this.take(parse(event.data));
    socket.onclose = (event) => {
      if (this.socket === socket) this.lost(event);
    };
  }

  stop() {
    clearTimeout(this.timer);
    const { socket } = this;
    this.socket = null;
    socket?.close(1000);
    this.on.state("stopped", "Stopped");
  }

  greet() {
    if (this.session.token) this.send("authenticate", {});
    else this.subscribe();
  }

  subscribe() {
    const body = { queue_name: this.queue, ttl: 3600, options: this.options, resume: this.position };
    this.send("subscription_create", body);
  }

  send(action, body) {
    this.socket.send(JSON.stringify({ action, headers: this.session.headers(), body }));
  }

  take(frame) {
    if (frame.request === undefined) this.push(frame);
    else if (frame.headers.status >= 400) this.refused(frame);
    else if (frame.request.action === "authenticate") this.subscribe();
    else this.began(frame.body);
  }

  push(message) {
    this.position = message.position ?? this.position;
    this.on.message(message);
  }

  began(answer) {
    this.tries = 0;
    if (answer.recovered === false) this.on.gap();
    // Without a position, the queue keeps nothing that could be told later.
    this.position = answer.position ?? true;
    this.on.state("live", "Live");
  }

  refused(frame) {
    const { socket } = this;
    this.socket = null;
    socket.close(1000);
    this.on.state("refused", frame.body.error ?? "The service refused.");
  }

  lost(event) {
    const pause = PAUSES_MS[Math.min(this.tries, PAUSES_MS.length - 1)];
    this.tries += 1;
    const why = event.reason ? ` (${event.reason})` : "";
    this.on.state("waiting", `The connection broke${why}. Trying again …`);
    this.timer = setTimeout(() => this.start(), pause);
  }
}
