/** The room's own settings. An owner changes them against the version they saw; whoever was slower is told. */

import { may, type RoomContext } from "../room/context";
import { ApiError } from "../wire/client";
import { LIMITS, type Role, type Session, type Visibility } from "../wire/generated";
import { ask } from "./dialog";
import { busy, button, field, fill, h } from "./dom";
import { lookPicker } from "./lobby";
import { cleanName, ROLE_TEXT } from "./person";

const VISIBILITY: Record<Visibility, string> = {
  private: "Private: by invite only",
  link: "Whoever has the link",
  public: "Public: listed for everyone",
};

export class RoomPanel {
  readonly element = h("div", { class: "panel-page", testid: "room-panel" });

  constructor(private readonly room: RoomContext) {}

  async refresh(): Promise<void> {
    try {
      this.room.learn(await this.room.api.session(this.room.sessionId));
    } catch (thrown) {
      this.room.toasts.problem(thrown, "The room's settings could not be read.");
    }
    this.render(this.room.session());
  }

  private render(session: Session): void {
    if (!may(this.room.role(), "manage")) {
      fill(this.element, ...this.facts(session));
      return;
    }
    const name = h("input", {
      testid: "settings-name",
      attrs: { type: "text", maxlength: LIMITS.SESSION_NAME_CHARS, required: true },
    });
    name.value = session.name;
    const words = h("textarea", {
      testid: "settings-description",
      attrs: { rows: 3, maxlength: LIMITS.DESCRIPTION_CHARS },
    });
    words.value = session.description;
    const visibility = choice(
      "settings-visibility",
      Object.keys(VISIBILITY) as Visibility[],
      session.visibility,
      (v) => VISIBILITY[v],
    );
    const first = session.settings.default_role ?? "editor";
    const role = choice("settings-role", ["editor", "viewer", "guest"] as Role[], first, (r) => ROLE_TEXT[r]);
    const seats = h("input", {
      testid: "settings-seats",
      attrs: { type: "number", min: 1, max: LIMITS.PARTICIPANTS_MAX, required: true },
    });
    seats.value = String(session.max_participants);
    const look = lookPicker(session.settings.environment ?? "dawn");
    const save = h(
      "button",
      { class: "button primary wide", testid: "settings-save", attrs: { type: "submit" } },
      "Save",
    );
    const conflict = h("div", { class: "conflict", testid: "settings-conflict", attrs: { role: "alert" } });
    const form = h(
      "form",
      { class: "stack" },
      h("h3", {}, "Room"),
      field("Name", name),
      field("Description", words),
      look.element,
      field("Who may enter", visibility),
      h("div", { class: "two" }, field("Newcomers become", role), field("Seats", seats)),
      conflict,
      save,
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const body = {
        name: cleanName(name.value) ?? session.name,
        description: words.value,
        visibility: visibility.value as Visibility,
        max_participants: Number(seats.value),
        settings: { default_role: role.value as Role, environment: look.value() },
      };
      void busy(save, () => this.save(body, session.version, conflict));
    });
    fill(this.element, form, this.ending());
  }

  private async save(
    body: Parameters<RoomContext["api"]["updateSession"]>[1],
    version: number,
    conflict: HTMLElement,
  ): Promise<void> {
    try {
      const updated = await this.room.api.updateSession(this.room.sessionId, body, version);
      this.room.learn(updated);
      this.room.toasts.show("Saved.", { tone: "good" });
      this.render(updated);
    } catch (thrown) {
      if (thrown instanceof ApiError && thrown.code === "version.conflict")
        await this.resolve(body, conflict);
      else this.room.toasts.problem(thrown, "Nothing was saved.");
    }
  }

  /** Somebody else saved first: theirs, or mine over it. */
  private async resolve(
    body: Parameters<RoomContext["api"]["updateSession"]>[1],
    conflict: HTMLElement,
  ): Promise<void> {
    const theirs = await this.room.api.session(this.room.sessionId);
    fill(
      conflict,
      h("p", {}, "Somebody else changed the room meanwhile."),
      h(
        "div",
        { class: "actions" },
        button(
          "Take theirs",
          () => {
            this.room.learn(theirs);
            this.render(theirs);
          },
          { testid: "conflict-theirs" },
        ),
        button("Save mine", () => void this.save(body, theirs.version, conflict), {
          kind: "primary",
          testid: "conflict-mine",
        }),
      ),
    );
  }

  private facts(session: Session): HTMLElement[] {
    return [
      h("h3", {}, session.name),
      h("p", {}, session.description || "No description."),
      h(
        "p",
        { class: "note" },
        `${VISIBILITY[session.visibility]}. ${session.max_participants} seats. Only an owner changes this.`,
      ),
    ];
  }

  private ending(): HTMLElement {
    const remove = button("Delete the room", () => void this.delete(), {
      kind: "danger",
      testid: "delete-room",
    });
    return h(
      "div",
      { class: "danger-zone" },
      h("p", { class: "hint" }, "Ends it for everybody, for good."),
      remove,
    );
  }

  private async delete(): Promise<void> {
    const text = "Everybody is sent out, and nothing of it stays.";
    const answer = await ask("Delete this room?", text, [{ value: "delete", label: "Delete", danger: true }]);
    if (!answer) return;
    try {
      await this.room.api.deleteSession(this.room.sessionId);
      this.room.leave();
    } catch (thrown) {
      this.room.toasts.problem(thrown, "The room is still there.");
    }
  }
}

function choice<T extends string>(
  testid: string,
  values: readonly T[],
  chosen: T,
  text: (value: T) => string,
): HTMLSelectElement {
  return h(
    "select",
    { testid },
    ...values.map((value) => h("option", { attrs: { value, selected: value === chosen } }, text(value))),
  );
}
