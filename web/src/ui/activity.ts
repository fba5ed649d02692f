/** The feed of what happened in the room. */

import { may, type RoomContext } from "../room/context";
import type { ActivityEvent } from "../wire/generated";
import { busy, button, fill, h } from "./dom";
import { ago } from "./format";

const WORDS: Record<string, (event: ActivityEvent) => string> = {
  "session.created": () => "made this room",
  "session.updated": () => "changed the room",
  "participant.joined": () => "came in",
  "participant.left": () => "left",
  "participant.removed": ({ detail }) =>
    detail.banned === "true" ? "was removed and banned" : "was removed",
  "participant.role_changed": ({ detail }) => `is now ${detail.role ?? "in another role"}`,

  "owner.changed": () => "owns this room now",
  "invite.created": ({ detail }) => `made an invite${detail.role ? ` for ${detail.role}s` : ""}`,
  "invite.revoked": () => "revoked an invite",
};

export function wordsOf(event: ActivityEvent): string {
  return WORDS[event.kind]?.(event) ?? event.kind.replace(".", " ").replace("_", " ");
}

export class ActivityPanel {
  readonly element = h("div", { class: "panel-page", testid: "activity-panel" });

  constructor(private readonly room: RoomContext) {}

  async refresh(): Promise<void> {
    if (!may(this.room.role(), "activity")) {
      return fill(this.element, h("p", { class: "note" }, "Guests do not see the room's history."));
    }
    try {
      const { events, next_cursor } = await this.room.api.activity(this.room.sessionId);
      const list = h("ol", { class: "feed", testid: "activity-list" }, ...events.map(item));
      fill(this.element, h("h3", {}, "What happened"), list);
      if (events.length === 0) list.append(h("li", { class: "note" }, "Nothing yet."));
      if (next_cursor) this.more(list, next_cursor);
    } catch (thrown) {
      this.room.toasts.problem(thrown, "The activity could not be read.");
    }
  }

  private more(list: HTMLElement, first: string): void {
    let cursor: string | null = first;
    const load = async (): Promise<void> => {
      const page = await this.room.api.activity(this.room.sessionId, cursor);
      list.append(...page.events.map(item));
      cursor = page.next_cursor ?? null;
      if (!cursor) older.remove();
    };
    const older: HTMLButtonElement = button("Earlier", () => {
      busy(older, load).catch((thrown) => this.room.toasts.problem(thrown, ""));
    });
    this.element.append(older);
  }
}

function item(event: ActivityEvent): HTMLElement {
  return h(
    "li",
    { testid: "activity-event", attrs: { "data-kind": event.kind } },
    h("p", {}, h("strong", {}, event.name), ` ${wordsOf(event)}`),
    h("time", { attrs: { datetime: new Date(event.at_ms).toISOString() } }, ago(event.at_ms, Date.now())),
  );
}
