/** The card before a room: what it is, who is inside, how one will look, and one button. Also every way it can fail. */

import type { Profile } from "../identity/keeping";
import type { Api } from "../wire/api";
import { ApiError } from "../wire/client";
import type { Health, Session, User } from "../wire/generated";
import { openAccount } from "./account";
import { backdrop } from "./backdrop";
import { busy, button, fill, h } from "./dom";
import { plural } from "./format";
import { type IconName, icon, mark } from "./icons";
import { disc, profileForm } from "./person";

export interface EntryPorts {
  api: Api;
  health: Health;
  /** How this person looks by default; asked again once they are known. */
  profile(): Profile;
  sessionId: string;
  invite: string | null;
  user(): User | null;
  identify(name: string): Promise<User>;
  logIn(email: string, password: string): Promise<User>;
  /** Joins and goes in; rejects with what the server said. */
  enter(profile: Profile): Promise<void>;
  home(): void;
}

export function entry(ports: EntryPorts): HTMLElement {
  const card = h("section", {
    class: "card glass entry-card",
    testid: "entry",
    attrs: { "aria-live": "polite" },
  });
  fill(card, h("p", { class: "hint centre" }, "Looking for the room…"));
  void prepare(ports, card);
  return framed(card, ports.home);
}

/** A card alone on the dawn. */
export function framed(card: HTMLElement, home: () => void): HTMLElement {
  const brand = button("", home, {
    kind: "quiet",
    class: "brand",
    testid: "home",
    attrs: { "aria-label": "Lobby" },
  });
  fill(brand, mark(32), h("span", {}, "Holodeck"));
  return h(
    "div",
    { class: "lobby entry" },
    backdrop(),
    h("header", { class: "lobby-bar" }, brand),
    h("main", { class: "entry-main", id: "main" }, card),
  );
}

async function prepare(ports: EntryPorts, card: HTMLElement): Promise<void> {
  const mayEnter = ports.user() !== null || ports.health.open_guests || ports.invite !== null;
  if (!mayEnter) return fill(card, ...signInFirst(ports, card));
  try {
    await ports.identify(ports.profile().name);
  } catch (thrown) {
    return fill(card, ...problemCard(thrown, ports.home, () => void prepare(ports, card)));
  }
  try {
    const session = await ports.api.session(ports.sessionId);
    fill(card, ...ready(ports, card, session));
  } catch (thrown) {
    const hidden =
      thrown instanceof ApiError && ["session.unknown", "role.insufficient"].includes(thrown.code);
    if (hidden && ports.invite) fill(card, ...ready(ports, card, null));
    else fill(card, ...problemCard(thrown, ports.home, () => void prepare(ports, card)));
  }
}

function ready(ports: EntryPorts, card: HTMLElement, session: Session | null): HTMLElement[] {
  const form = profileForm(ports.profile());
  const error = h("p", { class: "form-error", testid: "entry-error", attrs: { role: "alert" } });
  const enter = h("button", {
    class: "button primary wide",
    testid: "enter-room",
    attrs: { type: "submit" },
  });
  fill(enter, "Enter the room", icon("arrow"));
  const people = h("div", { class: "inside", testid: "inside" });
  if (session) void inside(ports, session, people);
  const element = h("form", { class: "stack" }, form.element, error, enter);
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    const profile = form.value();
    if (!profile) return;
    void busy(enter, async () => {
      error.textContent = "";
      try {
        await ports.enter(profile);
      } catch (thrown) {
        if (thrown instanceof ApiError && TERMINAL[thrown.code]) {
          fill(card, ...problemCard(thrown, ports.home, () => void prepare(ports, card)));
        } else {
          error.textContent = thrown instanceof Error ? thrown.message : "That did not work.";
        }
      }
    });
  });
  return [
    h(
      "p",
      { class: "eyebrow" },
      session?.status === "ended" ? "This room has ended" : "You are about to enter",
    ),
    h("h1", { testid: "entry-name" }, session?.name ?? "A private room"),
    ...(session?.description ? [h("p", { class: "lead small" }, session.description)] : []),
    people,
    element,
  ];
}

async function inside(ports: EntryPorts, session: Session, into: HTMLElement): Promise<void> {
  const seats = `${plural(session.participant_count, "seat")} taken of ${session.max_participants}`;
  try {
    if (!session.role) throw new Error("only members see who is inside");
    const { participants } = await ports.api.participants(session.session_id);
    const online = participants.filter((person) => person.online);
    const names = online.slice(0, 3).map((person) => person.name);
    const rest = online.length - names.length;
    const words =
      online.length === 0
        ? "Nobody is inside yet."
        : `${names.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
    fill(
      into,
      h("span", { class: "faces" }, ...online.slice(0, 6).map((person) => disc(person.name, person.color))),
      h("span", {}, words),
    );
  } catch {
    fill(into, h("span", {}, seats));
  }
}

function signInFirst(ports: EntryPorts, card: HTMLElement): HTMLElement[] {
  const onSignedIn = (): void => void prepare(ports, card);
  return [
    h("h1", {}, "Sign in to enter"),
    h("p", {}, "Guests need an invite link here."),
    ports.health.accounts
      ? button("Sign in", () => openAccount({ api: ports.api, logIn: ports.logIn, onSignedIn }), {
          kind: "primary",
          class: "wide",
          testid: "sign-in",
        })
      : h("p", { class: "hint" }, "Ask for one where you found this room."),
  ];
}

const TERMINAL: Record<string, { title: string; text: string; icon: IconName; again?: boolean }> = {
  "session.unknown": {
    title: "There is no such room",
    text: "It may have been deleted, or it is private and needs an invite.",
    icon: "find",
  },
  "session.ended": {
    title: "This room has ended",
    text: "Its owner closed it. Everybody left.",
    icon: "room",
  },
  "session.full": {
    title: "The room is full",
    text: "Every seat is taken. Try again when somebody leaves.",
    icon: "people",
    again: true,
  },
  "participant.banned": {
    title: "You cannot come back",
    text: "An owner removed you from this room.",
    icon: "lock",
  },
  "participant.removed": {
    title: "You were removed",
    text: "An owner took you out of this room. You may ask to come back.",
    icon: "leave",
    again: true,
  },
  "invite.unknown": {
    title: "This invite is not valid",
    text: "It was revoked, or the link is incomplete.",
    icon: "link",
  },
  "invite.expired": { title: "This invite has expired", text: "Ask for a new link.", icon: "link" },
  "invite.exhausted": { title: "This invite is used up", text: "Ask for a new link.", icon: "link" },
  "guests.closed": { title: "Guests need an invite", text: "Ask somebody inside for a link.", icon: "lock" },
  "role.insufficient": { title: "This room is private", text: "It needs an invite.", icon: "lock" },
  "connection.limit": {
    title: "Open too often",
    text: "You have this room open in too many windows. Close one and try again.",
    icon: "copy",
    again: true,
  },
  "protocol.unsupported": {
    title: "A newer version is here",
    text: "Reload the page to go on.",
    icon: "arrow",
    again: true,
  },
  network: {
    title: "The server cannot be reached",
    text: "Check your connection. Nothing is lost.",
    icon: "globe",
    again: true,
  },
  webgl: {
    title: "This browser cannot draw the room",
    text: "Holodeck needs WebGL 2. Turn on hardware acceleration, or try another browser.",
    icon: "room",
  },
};

/** A problem as a card: what it is in plain words, its code, and what one can do. */
export function problemCard(thrown: unknown, home: () => void, again: () => void): HTMLElement[] {
  const code = thrown && typeof thrown === "object" && "code" in thrown ? String(thrown.code) : "internal";
  const id = thrown instanceof ApiError ? thrown.correlationId : "";
  const known = TERMINAL[code];
  const text = known?.text ?? (thrown instanceof Error ? thrown.message : "Something went wrong.");
  return [
    h("span", { class: "problem-icon" }, icon(known?.icon ?? "help", 30)),
    h("h1", { testid: "problem-title" }, known?.title ?? "That did not work"),
    h("p", {}, text),
    h(
      "div",
      { class: "actions centre" },
      button("To the lobby", home, { testid: "to-lobby" }),
      ...(known && !known.again
        ? []
        : [button("Try again", again, { kind: "primary", testid: "try-again" })]),
    ),
    h("p", { class: "code", testid: "problem-code" }, id ? `${code} · ${id}` : code),
  ];
}
