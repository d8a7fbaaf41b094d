// Questions that are answered before anything else goes on. Esc says no.

import { h, patch } from "./dom.js";
import { button, failure } from "./parts.js";

// Open a form. `act` gets the values, by name, and may raise what is then shown; the form stays until it succeeds.
export function form(title, content, { act, submit = "OK", kind = "primary" }) {
  const alert = h("div", { role: "alert" });
  const confirm = h("button", { type: "submit", class: `button ${kind}` }, submit);
  const cancel = button("Cancel", () => dialog.close());
  const dialog = h(
    "dialog",
    { "aria-labelledby": "dialog-title" },
    h(
      "form",
      {
        novalidate: true,
        onsubmit: async (event) => {
          event.preventDefault();
          confirm.disabled = true;
          try {
            await act(Object.fromEntries(new FormData(event.target)));
            dialog.close();
          } catch (error) {
            patch(alert, failure(error));
            confirm.disabled = false;
          }
        },
      },
      h("h2", { id: "dialog-title" }, title),
      content,
      alert,
      h("div", { class: "actions" }, cancel, confirm),
    ),
  );
  show(dialog);
  return dialog;
}

// Ask before something that cannot be undone.
export function ask(title, text, { act, submit }) {
  return form(title, [h("p", null, text)], { act, submit, kind: "danger" });
}

export function show(dialog) {
  const before = document.activeElement;
  document.body.append(dialog);
  dialog.addEventListener("close", () => {
    dialog.remove();
    before?.focus?.();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.showModal();
  return dialog;
}
