// Who is signed in. What is secret lives in this tab alone and is gone with it; it never stands in an address.

const KEY = "sukkal.session";

export class Session {
  constructor(storage = window.sessionStorage) {
    this.storage = storage;
    const kept = JSON.parse(storage.getItem(KEY) ?? "null");
    this.token = kept?.token ?? "";
    this.project = kept?.project ?? "";
    this.client = kept?.client ?? newClient();
    this.open = kept !== null;
  }

  enter(token, project) {
    Object.assign(this, { token, project, open: true });
    const { client } = this;
    this.storage.setItem(KEY, JSON.stringify({ token, project, client }));
  }

  leave() {
    Object.assign(this, { token: "", project: "", open: false });
    this.storage.removeItem(KEY);
  }

  // The project of a token comes from the token.
  headers() {
    const who = this.token ? { "X-Auth-Token": this.token } : { "X-Project-Id": this.project };
    return { "Client-ID": this.client, ...who };
  }
}

// `crypto.randomUUID` is missing from pages that come without TLS.
function newClient() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20)].join("-");
}
