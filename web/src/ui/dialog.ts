/** Modal dialogs on the platform's own `<dialog>`: focus is kept inside, Escape closes, focus returns. */

import { button, type Child, h } from "./dom";
import { icon } from "./icons";

export function openDialog(
  title: string,
  build: (close: () => void) => Child[],
  testid: string,
  onClosed: () => void = () => {},
): () => void {
  const heading = h("h2", { id: `${testid}-title` }, title);
  const dialog = h("dialog", { class: "dialog", testid, attrs: { "aria-labelledby": heading.id } });
  const close = (): void => dialog.close();
  const shut = button(icon("close"), close, {
    kind: "quiet",
    class: "icon-only",
    attrs: { "aria-label": "Close" },
  });
  dialog.append(h("header", {}, heading, shut));
  dialog.append(h("div", { class: "dialog-body" }, ...build(close)));
  dialog.addEventListener("close", () => {
    dialog.remove();
    onClosed();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) close();
  });
  document.body.append(dialog);
  dialog.showModal();
  return close;
}

/** Asks before something that cannot be undone; resolves with the chosen answer, or null. */
export function ask<T extends string>(
  title: string,
  text: string,
  answers: readonly { value: T; label: string; danger?: boolean }[],
): Promise<T | null> {
  return new Promise((resolve) => {
    let chosen: T | null = null;
    openDialog(
      title,
      (close) => [
        h("p", {}, text),
        h(
          "div",
          { class: "actions" },
          button("Cancel", close, { kind: "plain", testid: "confirm-cancel" }),
          ...answers.map(({ value, label, danger }) =>
            button(
              label,
              () => {
                chosen = value;
                close();
              },
              { kind: danger ? "danger" : "primary", testid: `confirm-${value}` },
            ),
          ),
        ),
      ],
      "confirm",
      () => resolve(chosen),
    );
  });
}
