/** Inviting: a link with a role, copied in one go; and the links that are out, to be revoked. */

import { may, type RoomContext } from "../room/context";
import { type Invite, LIMITS, type Role } from "../wire/generated";
import { busy, button, field, fill, h } from "./dom";
import { plural, until } from "./format";
import { icon } from "./icons";
import { pathOf } from "./links";
import { ROLE_TEXT } from "./person";

const DAY_S = 86_400;

export class InvitePanel {
  readonly element = h("div", { class: "panel-page", testid: "invite-panel" });
  private readonly list = h("div", {});
  private readonly link = h("input", {
    class: "made-link",
    testid: "invite-link",
    attrs: { type: "text", readonly: true, "aria-label": "Invite link" },
  });

  constructor(private readonly room: RoomContext) {
    this.link.hidden = true;
    this.link.addEventListener("focus", () => this.link.select());
  }

  async refresh(): Promise<void> {
    const plain = this.plainLink();
    if (!may(this.room.role(), "invite")) return fill(this.element, ...plain);
    if (!this.element.contains(this.list)) fill(this.element, ...plain, this.form(), this.list);
    try {
      const { invites } = await this.room.api.invites(this.room.sessionId);
      fill(
        this.list,
        invites.length > 0 ? h("h3", {}, `Links that are out · ${invites.length}`) : null,
        h("ul", { class: "invites", testid: "invite-list" }, ...invites.map((invite) => this.item(invite))),
      );
    } catch (thrown) {
      this.room.toasts.problem(thrown, "The invites could not be read.");
    }
  }

  private plainLink(): HTMLElement[] {
    const { visibility } = this.room.session();
    if (visibility === "private") {
      return [h("p", { class: "note" }, "This room is private: people come in by an invite.")];
    }
    const who =
      visibility === "public" ? "Anyone may enter; the room is listed." : "Anyone with the link may enter.";
    return [
      h(
        "div",
        { class: "plain-link" },
        h("p", {}, who),
        button("Copy room link", () => void this.copy(this.address(null), "Room link copied."), {
          testid: "copy-room-link",
        }),
      ),
    ];
  }

  private form(): HTMLElement {
    const roles: Role[] =
      this.room.role() === "owner" ? ["editor", "viewer", "guest", "owner"] : ["editor", "viewer", "guest"];
    const role = h(
      "select",
      { testid: "invite-role" },
      ...roles.map((value) => h("option", { attrs: { value } }, ROLE_TEXT[value])),
    );
    const days = h(
      "select",
      { testid: "invite-days" },
      ...[1, 7, 30, 90].map((value) =>
        h("option", { attrs: { value, selected: value === 7 } }, plural(value, "day")),
      ),
    );
    const uses = h("input", {
      testid: "invite-uses",
      attrs: { type: "number", min: 1, max: LIMITS.INVITE_USES_MAX, placeholder: "Any number" },
    });
    const make = h("button", {
      class: "button primary wide",
      testid: "copy-invite",
      attrs: { type: "submit" },
    });
    fill(make, icon("copy", 18), "Copy an invite link");
    const form = h(
      "form",
      { class: "stack" },
      h("h3", {}, "Invite people"),
      h("div", { class: "two" }, field("They become", role), field("Works for", days)),
      field("How many people", uses),
      make,
      this.link,
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const max = uses.value ? Number(uses.value) : null;
      void busy(make, () => this.make(role.value as Role, Number(days.value) * DAY_S, max));
    });
    return form;
  }

  private async make(role: Role, expires: number, max: number | null): Promise<void> {
    try {
      const body = { role, expires_in_s: expires, max_uses: max };
      const invite = await this.room.api.createInvite(this.room.sessionId, body);
      const address = this.address(invite.code ?? null);
      this.link.value = address;
      this.link.hidden = false;
      await this.copy(address, "Invite link copied.");
      await this.refresh();
    } catch (thrown) {
      this.room.toasts.problem(thrown, "No invite was made.");
    }
  }

  private item(invite: Invite): HTMLElement {
    const uses = invite.max_uses
      ? `${invite.uses} of ${invite.max_uses} used`
      : `${plural(invite.uses, "person", "people")} came`;
    const revoke = button(icon("trash", 17), () => void this.revoke(invite), {
      kind: "quiet",
      class: "icon-only",
      testid: "invite-revoke",
      attrs: { "aria-label": `Revoke the ${ROLE_TEXT[invite.role]} invite`, title: "Revoke" },
    });
    return h(
      "li",
      { class: "invite", testid: "invite" },
      h(
        "div",
        { class: "person-words" },
        h("strong", {}, ROLE_TEXT[invite.role]),
        h("span", {}, `${uses} · ends ${until(invite.expires_at_ms, Date.now())}`),
      ),
      revoke,
    );
  }

  private async revoke(invite: Invite): Promise<void> {
    try {
      await this.room.api.revokeInvite(this.room.sessionId, invite.invite_id);
      this.room.toasts.show("Invite revoked. The link no longer opens the room.", { tone: "good" });
    } catch (thrown) {
      this.room.toasts.problem(thrown, "The invite still works.");
    }
    await this.refresh();
  }

  private address(code: string | null): string {
    return new URL(pathOf(this.room.sessionId, code), location.href).href;
  }

  private async copy(text: string, done: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      this.room.toasts.show(done, { tone: "good" });
    } catch {
      this.link.value = text;
      this.link.hidden = false;
      this.link.focus();
      this.room.toasts.show("Copy the link from the field.");
    }
  }
}
