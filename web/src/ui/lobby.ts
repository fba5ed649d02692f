/** The lobby: who one is, starting a room, joining by a link, the rooms one knows and the rooms open to all. */

import type { Profile } from "../identity/keeping";
import type { Api, Scope } from "../wire/api";
import { type Environment, type Health, LIMITS, type Session, type User } from "../wire/generated";
import { openAccount } from "./account";
import { backdrop } from "./backdrop";
import { busy, button, field, fill, h } from "./dom";
import { plural } from "./format";
import { icon, mark } from "./icons";
import { parsePasted, type Route } from "./links";
import { cleanName, disc, profileForm } from "./person";
import type { Toasts } from "./toasts";

export interface LobbyPorts {
  api: Api;
  toasts: Toasts;
  health: Health;
  profile: Profile;
  user(): User | null;
  keepProfile(profile: Profile): void;
  /** Makes sure that there is a token; rejects where guests are not let in. */
  identify(name: string): Promise<User>;
  logIn(email: string, password: string): Promise<User>;
  signOut(): void;
  go(route: Route): void;
  /** Straight into a room that was just made. */
  enter(session: Session, profile: Profile): void;
}

export function lobby(ports: LobbyPorts): HTMLElement {
  const account = h("div", { class: "account-corner" });
  const rooms = h("div", { class: "room-lists" });
  const refresh = (): void => {
    fill(account, ...accountCorner(ports, refresh));
    void showRooms(ports, rooms);
  };
  const element = h(
    "div",
    { class: "lobby", testid: "lobby" },
    backdrop(),
    h(
      "header",
      { class: "lobby-bar" },
      h("span", { class: "brand" }, mark(32), h("span", {}, "Holodeck")),
      account,
    ),
    h(
      "main",
      { class: "lobby-main", id: "main" },
      h(
        "section",
        { class: "pitch" },
        h("h1", {}, "A link, a room, everybody in it."),
        h(
          "p",
          { class: "lead" },
          "Meet in a shared 3D space. See where the others stand, look and point, live.",
        ),
        rooms,
      ),
      startCard(ports),
    ),
    h(
      "footer",
      { class: "lobby-foot" },
      h("a", { attrs: { href: "/api/docs" } }, "API"),
      h("span", {}, `Holodeck ${ports.health.version}`),
    ),
  );
  refresh();
  return element;
}

function accountCorner(ports: LobbyPorts, refresh: () => void): (HTMLElement | null)[] {
  const user = ports.user();
  if (user?.kind === "account") {
    const out = button("Sign out", () => {
      ports.signOut();
      refresh();
    });
    out.dataset.testid = "sign-out";
    return [h("span", { class: "who", testid: "signed-in" }, user.name), out];
  }
  if (!ports.health.accounts) return [];
  const signedIn = { api: ports.api, logIn: ports.logIn, onSignedIn: refresh };
  return [
    button("Sign in", () => openAccount(signedIn, "in"), { testid: "sign-in" }),
    button("Sign up", () => openAccount(signedIn, "up"), { kind: "primary", testid: "sign-up" }),
  ];
}

function startCard(ports: LobbyPorts): HTMLElement {
  const form = profileForm(ports.profile, (profile) => ports.keepProfile(profile));
  const name = h("input", {
    testid: "room-name-input",
    attrs: {
      type: "text",
      maxlength: LIMITS.SESSION_NAME_CHARS,
      placeholder: "Monday stand-up",
      autocomplete: "off",
    },
  });
  const environment = lookPicker("dawn");
  const guest = ports.user()?.kind !== "account";
  const allowed = !guest || ports.health.open_guests;
  const start = h(
    "button",
    { class: "button primary wide", testid: "create-room", attrs: { type: "submit" } },
    guest ? "Enter as guest" : "Create the room",
    icon("arrow"),
  );
  const create = h(
    "form",
    { class: "stack" },
    form.element,
    field("Room name", name),
    environment.element,
    start,
    guest && allowed ? h("p", { class: "hint centre" }, "Makes a new room. No account needed.") : null,
  );
  create.addEventListener("submit", (event) => {
    event.preventDefault();
    const profile = form.value();
    if (profile) void busy(start, () => createRoom(ports, profile, name.value, environment.value()));
  });
  const closed = (): HTMLElement =>
    h("p", { class: "note" }, "Sign in to start a room. To visit one, open its invite link.");
  return h(
    "section",
    { class: "card glass start-card", attrs: { "aria-label": "Start or join a room" } },
    h("h2", {}, "Start a room"),
    allowed ? create : closed(),
    h("div", { class: "or" }, h("span", {}, "or join one")),
    joinForm(ports),
  );
}

async function createRoom(
  ports: LobbyPorts,
  profile: Profile,
  typed: string,
  look: Environment,
): Promise<void> {
  try {
    ports.keepProfile(profile);
    await ports.identify(profile.name);
    const name = cleanName(typed)?.slice(0, LIMITS.SESSION_NAME_CHARS) ?? `${profile.name}’s room`;
    const session = await ports.api.createSession({ name, settings: { environment: look } });
    ports.enter(session, profile);
  } catch (thrown) {
    ports.toasts.problem(thrown, "The room could not be made.");
  }
}

function joinForm(ports: LobbyPorts): HTMLElement {
  const link = h("input", {
    testid: "join-link-input",
    attrs: {
      type: "text",
      placeholder: "Paste a room link",
      "aria-label": "Room link or invite",
      autocomplete: "off",
    },
  });
  const error = h("p", { class: "form-error", attrs: { role: "alert" } });
  const form = h(
    "form",
    { class: "join-form" },
    link,
    h("button", { class: "button", testid: "join-link", attrs: { type: "submit" } }, "Join"),
    error,
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const route = parsePasted(link.value);
    error.textContent = route.page === "lobby" ? "That is not a link to a room." : "";
    if (route.page === "room") ports.go(route);
  });
  return form;
}

export function lookPicker(start: Environment): { element: HTMLElement; value(): Environment } {
  let chosen = start;
  const looks: Environment[] = ["dawn", "studio", "night"];
  const options = looks.map((value) => {
    const radio = h("input", {
      attrs: { type: "radio", name: `look-${start}`, value, checked: value === start },
    });
    radio.addEventListener("change", () => {
      chosen = value;
    });
    return h(
      "label",
      { class: `look ${value}`, testid: `environment-${value}` },
      radio,
      h("span", {}, value),
    );
  });
  const element = h(
    "fieldset",
    { class: "looks" },
    h("legend", {}, "Light"),
    h("div", { class: "look-row" }, ...options),
  );
  return { element, value: () => chosen };
}

async function showRooms(ports: LobbyPorts, into: HTMLElement): Promise<void> {
  try {
    if (!ports.user()) {
      if (!ports.health.open_guests) return fill(into);
      await ports.identify(ports.profile.name);
    }
    const [mine, open] = await Promise.all([ports.api.sessions("mine"), ports.api.sessions("public")]);
    const known = new Set(mine.sessions.map((session) => session.session_id));
    const others = open.sessions.filter((session) => !known.has(session.session_id));
    fill(
      into,
      list(ports, "Your rooms", "mine", mine.sessions, mine.next_cursor ?? null),
      list(ports, "Open to everyone", "public", others, open.next_cursor ?? null),
    );
  } catch (thrown) {
    ports.toasts.problem(thrown, "The rooms could not be listed.");
  }
}

function list(
  ports: LobbyPorts,
  title: string,
  scope: Scope,
  sessions: readonly Session[],
  cursor: string | null,
): HTMLElement | null {
  const live = sessions.filter((session) => session.status === "active");
  if (live.length === 0 && !cursor) return null;
  const items = h("ul", { class: "rooms" }, ...live.map((session) => roomItem(ports, session)));
  const element = h("section", { class: "room-list", testid: `rooms-${scope}` }, h("h2", {}, title), items);
  let next = cursor;
  if (next) {
    const more = button(
      "More",
      () =>
        void busy(more, async () => {
          const page = await ports.api.sessions(scope, next);
          items.append(...page.sessions.map((session) => roomItem(ports, session)));
          next = page.next_cursor ?? null;
          if (!next) more.remove();
        }).catch((thrown) => ports.toasts.problem(thrown, "")),
    );
    element.append(more);
  }
  return element;
}

function roomItem(ports: LobbyPorts, session: Session): HTMLElement {
  const inside = h("span", { class: "faces" });
  const open = (): void => ports.go({ page: "room", sessionId: session.session_id, invite: null });
  if (session.participant_count > 0 && session.role) void showFaces(ports.api, session.session_id, inside);
  const link = h(
    "button",
    {
      class: `room-item ${session.settings.environment ?? "dawn"}`,
      testid: "room-item",
      attrs: { type: "button" },
    },
    h("span", { class: "room-thumb" }),
    h(
      "span",
      { class: "room-words" },
      h("strong", {}, session.name),
      h("span", {}, `${plural(session.participant_count, "seat")} taken of ${session.max_participants}`),
    ),
    inside,
  );
  link.addEventListener("click", open);
  return h("li", {}, link);
}

/** Who is inside, as far as one may know. */
async function showFaces(api: Api, sessionId: string, into: HTMLElement): Promise<void> {
  try {
    const { participants } = await api.participants(sessionId);
    const online = participants.filter((person) => person.online).slice(0, 4);
    fill(into, ...online.map((person) => disc(person.name, person.color)));
  } catch {
    fill(into);
  }
}
