// Claims that were made here. They are renewed while their queue is looked at, and released by who leaves it.

import { of } from "./api.js";

export const CLAIM_TTL_S = 120;
const RENEW_MS = 45_000;

export class Held {
  constructor(app) {
    this.app = app;
    this.queues = new Map();
    setInterval(() => this.renew(), RENEW_MS);
    window.addEventListener("pagehide", () => this.release(null, { keepalive: true }));
  }

  add(id, queue) {
    this.queues.set(id, queue);
  }

  forget(id) {
    this.queues.delete(id);
  }

  has(id) {
    return this.queues.has(id);
  }

  // Release all but those of one queue. A claim that has ended by itself is as good as released.
  release(but, { keepalive = false } = {}) {
    const ends = [];
    for (const [id, queue] of this.queues) {
      if (queue === but) continue;
      this.queues.delete(id);
      ends.push(this.app.api.delete(of(queue, "claims", id), { keepalive }).catch(() => null));
    }
    return Promise.all(ends);
  }

  async renew() {
    for (const [id, queue] of this.queues) {
      try {
        await this.app.api.patch(of(queue, "claims", id), { ttl: CLAIM_TTL_S, grace: 60 });
      } catch (error) {
        if (error.status === 404) this.forget(id);
      }
    }
  }
}
