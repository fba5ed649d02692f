/** Short notices that come and go; read out by assistive technology. */

import { ApiError } from "../wire/client";
import type { ErrorMessage } from "../wire/generated";
import { button, h } from "./dom";
import { icon } from "./icons";

const STAY_MS = 5000;
const STAY_ERROR_MS = 12_000;
const STAY_ACTION_MS = 20_000;
const SHOWN_MAX = 4;

export type Tone = "info" | "good" | "bad";

/** How a toast looks and what it offers. */
export interface ToastOptions {
  tone?: Tone;
  color?: string;
  detail?: string;
  /** Something to do about it; the toast stays longer, and goes when it is done. */
  action?: { label: string; run(): void };
}

export class Toasts {
  readonly element = h("div", {
    class: "toasts",
    testid: "toasts",
    attrs: { role: "status", "aria-live": "polite" },
  });

  /** What is returned takes it away: once it is true no more. */
  show(text: string, options: ToastOptions = {}): () => void {
    const { tone = "info", color, detail, action } = options;
    const toast = h(
      "div",
      { class: `toast ${tone}`, testid: "toast", attrs: { role: tone === "bad" ? "alert" : null } },
      h("span", { class: "dot", style: color ? { background: color } : {} }),
      h("div", {}, h("p", {}, text), detail ? h("p", { class: "detail" }, detail) : null),
      action
        ? button(
            action.label,
            () => {
              remove();
              action.run();
            },
            { kind: "quiet", class: "toast-action", testid: "toast-action" },
          )
        : null,
      button(icon("close", 16), () => remove(), {
        kind: "quiet",
        class: "icon-only",
        attrs: { "aria-label": "Dismiss" },
      }),
    );
    const remove = (): void => {
      toast.classList.add("going");
      setTimeout(() => toast.remove(), 220);
    };
    this.element.append(toast);
    while (this.element.children.length > SHOWN_MAX) this.element.firstElementChild?.remove();
    setTimeout(remove, action ? STAY_ACTION_MS : tone === "bad" ? STAY_ERROR_MS : STAY_MS);
    return remove;
  }

  /** What the service refused; being slowed down is not worth words. */
  refused({ code, message, correlation_id }: ErrorMessage): void {
    if (code === "rate.limited") return;
    this.show(message, { tone: "bad", detail: `${code} · ${correlation_id}` });
  }

  /** A failure, with what support would ask for. */
  problem(thrown: unknown, doing: string): void {
    if (thrown instanceof ApiError) {
      const id = thrown.correlationId ? ` · ${thrown.correlationId}` : "";
      this.show(`${doing} ${thrown.message}`.trim(), { tone: "bad", detail: `${thrown.code}${id}` });
    } else {
      this.show(`${doing} Something went wrong on this page.`.trim(), { tone: "bad" });
    }
  }
}
