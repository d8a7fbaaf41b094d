// The door.

import { Api } from "../api.js";
import { h } from "../dom.js";
import { failure, field, input } from "../parts.js";

export function login(page, dismissed) {
  let refused = dismissed;
  let busy = false;

  const enter = async (event) => {
    event.preventDefault();
    const { token, project } = Object.fromEntries(new FormData(event.target));
    busy = true;
    draw();
    try {
      await tryThem(page.session, token.trim(), project.trim(), page.signal);
      page.app.enter(token.trim(), project.trim());
    } catch (error) {
      refused = error;
      busy = false;
      draw();
      focusOnToken();
    }
  };

  function draw() {
    page.show(
      "Sign in",
      h(
        "form",
        { class: "door", onsubmit: enter, "aria-labelledby": "heading", "data-key": "door" },
        h("img", { src: "icon.svg", alt: "", width: 40, height: 40 }),
        h("h1", { id: "heading", tabindex: -1 }, "Sign in to Sukkal"),
        field("Token or API key", input("token", { type: "password" }), "A Keystone token, a JSON Web Token, or a key such as sukkal_… It stays in this tab."),
        field("Project", input("project", { type: "text" }), "Enough by itself where the service asks for no token; else the token says it."),
        h("div", { role: "alert" }, refused ? failure(words(refused)) : null),
        h("button", { type: "submit", class: "button primary", disabled: busy }, busy ? "Signing in …" : "Sign in"),
        h("p", { class: "hint" }, "Where the service asks for API keys, an operator makes one with:"),
        h("pre", { class: "inline-code" }, "sukkal key create --keys-file keys.json \\\n  --project demo --name console \\\n  --role member"),
      ),
    );
  }

  draw();
  focusOnToken();
}

function focusOnToken() {
  document.querySelector(".door [name=token]").select();
}

// Ask for as little as shows whether the service lets these in.
async function tryThem(session, token, project, signal) {
  if (!token && !project) {
    throw Object.assign(new Error(), { title: "Who are you?", description: "Give a token, or the name of a project." });
  }
  const headers = token ? { "X-Auth-Token": token } : { "X-Project-Id": project };
  const asked = { headers: () => ({ "Client-ID": session.client, ...headers }) };
  await new Api(asked, () => {}).get("/queues", { query: { limit: 1 }, signal });
}

function words(refused) {
  if (refused.status !== 401) return refused;
  const { description, requestId } = refused;
  return { title: "The service does not let you in", description, requestId };
}
