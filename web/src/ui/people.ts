/** The list of people: who is here, who was, their roles; and for an owner the power over them. */

import { may, type RoomContext } from "../room/context";
import type { PersonView } from "../voice/types";
import type { Activity, Participant, Role } from "../wire/generated";
import { BarsIcon, barsText } from "./bars";
import { ask } from "./dialog";
import { button, fill, h } from "./dom";
import { rowLines, standingLines } from "./figures";
import { icon } from "./icons";
import { disc, ROLE_TEXT } from "./person";

interface Row {
  userId: string;
  name: string;
  color: string;
  role: Role;
  online: boolean;
  pages: number;
  activity: Activity;
  points: boolean;
  voice: "speaking" | "muted" | "on" | "none";
  hand: boolean;
}

const ASSIGNABLE: readonly Role[] = ["owner", "editor", "viewer", "guest"];

export class PeoplePanel {
  readonly element = h("div", { class: "panel-page", testid: "people-panel" });
  /** Who is in voice, besides oneself. */
  voices: readonly PersonView[] = [];
  private members: Participant[] = [];
  private shown = "";
  private bars = new Map<string, { icon: BarsIcon; button: HTMLButtonElement; name: string }>();

  constructor(private readonly room: RoomContext) {}

  /** Reads the members again, those who are not here too. */
  async refresh(): Promise<void> {
    try {
      const members: Participant[] = [];
      let cursor: string | null = null;
      do {
        const page: Awaited<ReturnType<RoomContext["api"]["participants"]>> =
          await this.room.api.participants(this.room.sessionId, cursor);
        members.push(...page.participants);
        cursor = page.next_cursor ?? null;
      } while (cursor && members.length < 500);
      this.members = members;
    } catch (thrown) {
      this.room.toasts.problem(thrown, "The members could not be read.");
    }
    this.render();
  }

  /** Shows what is known; cheap where nothing changed. */
  render(): void {
    const rows = this.rows();
    const key = JSON.stringify([rows, this.room.role()]);
    if (key === this.shown || (this.keepFocus() && this.element.contains(document.activeElement))) {
      this.rate();
      return;
    }
    this.shown = key;
    this.bars.clear();
    const here = rows.filter((row) => row.online);
    const away = rows.filter((row) => !row.online);
    fill(
      this.element,
      h("h3", {}, `In the room · ${here.length}`),
      h("ul", { class: "people", testid: "people-list" }, ...here.map((row) => this.item(row))),
      away.length > 0 ? h("h3", {}, `Not here now · ${away.length}`) : null,
      away.length > 0 ? h("ul", { class: "people" }, ...away.map((row) => this.item(row))) : null,
    );
    this.rate();
  }

  /** Bars change where they are: nothing else moves for them. */
  private rate(): void {
    const { connection } = this.room;
    const mine = this.room.me()?.user_id;
    for (const [userId, { icon, button, name }] of this.bars) {
      const bars = (userId === mine ? connection.standing()?.bars : connection.of(userId)?.bars) ?? null;
      icon.show(bars);
      const label = `Connection of ${name}: ${barsText(bars)}`;
      if (button.getAttribute("aria-label") !== label) button.setAttribute("aria-label", label);
    }
  }

  private barsOf(row: Row): HTMLElement {
    const { connection } = this.room;
    const icon = new BarsIcon();
    const made = h(
      "button",
      { class: "bars-button", testid: "person-bars", attrs: { type: "button" } },
      icon.element,
    );
    connection.details.attach(made, () => {
      const standing = connection.standing();
      if (row.userId === this.room.me()?.user_id) return standing ? standingLines("You", standing) : [];
      const link = connection.of(row.userId);
      return link ? rowLines(row.name, standing?.carrier ?? null, link) : [];
    });
    this.bars.set(row.userId, { icon, button: made, name: row.name });
    return made;
  }

  /** An open choice of roles is not pulled away from under a hand. */
  private keepFocus(): boolean {
    return document.activeElement instanceof HTMLSelectElement;
  }

  private rows(): Row[] {
    const rows = new Map<string, Row>();
    for (const { user_id, name, color, role } of this.members) {
      const row = {
        userId: user_id,
        name,
        color,
        role,
        online: false,
        pages: 0,
        activity: "away" as Activity,
        points: false,
        voice: "none" as const,
        hand: false,
      };
      rows.set(user_id, row);
    }
    for (const { peer, state } of this.room.roster.members.values()) {
      const known = rows.get(peer.user_id);
      const activity = state?.state.activity ?? "active";
      rows.set(peer.user_id, {
        userId: peer.user_id,
        name: peer.name,
        color: peer.color,
        role: peer.role,
        online: true,
        pages: (known?.pages ?? 0) + 1,
        activity: known?.online && activity === "away" ? known.activity : activity,
        points: Boolean(state?.state.cursor) || (known?.points ?? false),
        ...this.voiceOf(peer.user_id),
      });
    }
    const mine = this.room.me()?.user_id;
    return [...rows.values()].sort(
      (a, b) => Number(b.userId === mine) - Number(a.userId === mine) || a.name.localeCompare(b.name),
    );
  }

  private voiceOf(userId: string): Pick<Row, "voice" | "hand"> {
    const person = this.voices.find((one) => one.userId === userId);
    if (!person) return { voice: "none", hand: false };
    const { blocked, muted, selfMuted, listening, speaking, handRaisedAtMs } = person;
    const hand = handRaisedAtMs !== null;
    if (blocked || muted || selfMuted || listening) return { voice: "muted", hand };
    return { voice: speaking ? "speaking" : "on", hand };
  }

  private item(row: Row): HTMLElement {
    const mine = row.userId === this.room.me()?.user_id;
    const quiet = row.activity === "active" ? "" : ` · ${row.activity}`;
    const pages = row.pages > 1 ? ` · ${row.pages} windows` : "";
    const words = row.online ? `${ROLE_TEXT[row.role]}${quiet}${pages}` : ROLE_TEXT[row.role];
    return h(
      "li",
      {
        class: `person ${row.activity} ${row.voice === "speaking" ? "speaking" : ""}`.trim(),
        testid: "person",
        attrs: { "data-user": row.userId, "data-voice": row.voice },
      },
      h("span", { class: "disc-ring" }, disc(row.name, row.color, row.online)),
      h(
        "div",
        { class: "person-words" },
        h("strong", {}, row.name, mine ? h("em", {}, " (you)") : null),
        this.manages(row)
          ? this.roleChoice(row, `${quiet}${pages}`)
          : h("span", { testid: "person-role" }, words),
      ),
      h(
        "div",
        { class: "person-actions" },
        row.hand ? voiceSign("hand", "Hand raised") : null,
        row.voice === "muted" ? voiceSign("micOff", "Muted") : null,
        row.voice === "speaking" ? h("span", { class: "sr-only" }, "Speaking") : null,
        ...(mine ? [] : this.actions(row)),
        row.online ? this.barsOf(row) : null,
      ),
    );
  }

  private actions(row: Row): HTMLElement[] {
    const actions: HTMLElement[] = [];
    if (row.online) {
      actions.push(
        this.small("arrow", `Go to ${row.name}`, "person-visit", () => this.room.visit(row.userId)),
      );
    }
    if (row.points) {
      const look = (): void => void this.room.lookAtCursor(row.userId);
      actions.push(this.small("find", `Look where ${row.name} points`, "person-look", look));
    }
    if (!this.manages(row)) return actions;
    actions.push(this.small("trash", `Remove ${row.name}`, "person-remove", () => void this.remove(row)));
    return actions;
  }

  private manages(row: Row): boolean {
    return may(this.room.role(), "manage") && row.userId !== this.room.me()?.user_id;
  }

  private roleChoice(row: Row, more: string): HTMLElement {
    const select = h("select", {
      testid: "person-role-select",
      attrs: { "aria-label": `Role of ${row.name}` },
    });
    for (const role of ASSIGNABLE) {
      select.append(h("option", { attrs: { value: role, selected: role === row.role } }, ROLE_TEXT[role]));
    }
    select.addEventListener("change", () => void this.setRole(row, select.value as Role));
    return h("span", { class: "role-choice", testid: "person-role" }, select, more);
  }

  private small(
    name: "arrow" | "find" | "trash",
    text: string,
    testid: string,
    onClick: () => void,
  ): HTMLElement {
    const attrs = { "aria-label": text, title: text };
    return button(icon(name, 17), onClick, { kind: "quiet", class: "icon-only", testid, attrs });
  }

  private async setRole(row: Row, role: Role): Promise<void> {
    try {
      await this.room.api.setRole(this.room.sessionId, row.userId, role);
    } catch (thrown) {
      this.room.toasts.problem(thrown, `${row.name} keeps their role.`);
    }
    (document.activeElement as HTMLElement | null)?.blur();
    this.shown = "";
    await this.refresh();
  }

  private async remove(row: Row): Promise<void> {
    const answer = await ask(`Remove ${row.name}?`, "They leave the room at once.", [
      { value: "remove", label: "Remove" },
      { value: "ban", label: "Remove and ban", danger: true },
    ]);
    if (!answer) return;
    try {
      await this.room.api.removeParticipant(this.room.sessionId, row.userId, answer === "ban");
    } catch (thrown) {
      this.room.toasts.problem(thrown, `${row.name} is still here.`);
    }
    await this.refresh();
  }
}

/** What a list shows of somebody's voice. */
export function voiceSign(name: "priority" | "hand" | "block" | "micOff", label: string): HTMLElement {
  return h(
    "span",
    { class: `voice-sign ${name}`, attrs: { role: "img", "aria-label": label, title: label } },
    icon(name, 17),
  );
}
