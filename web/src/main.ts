/** The page: reads the address, shows the lobby, the card before a room, or the room. WebGL comes with the room only. */

import "@fontsource-variable/inter/wght.css";
import "@fontsource-variable/bricolage-grotesque/wght.css";
import "./styles/base.css";
import "./styles/lobby.css";
import "./styles/room.css";
import "./styles/network.css";
import "./styles/edit.css";
import "./styles/voice.css";
import { Keeping, type Profile } from "./identity/keeping";
import { claim, tabId } from "./identity/locks";
import { Passport } from "./identity/passport";
import type { Over } from "./presence/carrier";
import type { Room } from "./room/room";
import { fill, h } from "./ui/dom";
import { entry, framed, problemCard } from "./ui/entry";
import { parseRoute, pathOf, type Route } from "./ui/links";
import { lobby } from "./ui/lobby";
import { freshProfile } from "./ui/person";
import { Toasts } from "./ui/toasts";
import { type Api, apiOver } from "./wire/api";
import { ApiError, Client } from "./wire/client";
import type { Health, Session, User } from "./wire/generated";

const app = document.getElementById("app") as HTMLElement;
const toasts = new Toasts();
const keeping = new Keeping(sessionStorage, localStorage);
const passport: Passport = new Passport(
  keeping,
  (id) => claim(`person.${id}`),
  Date.now,
  () => api,
);
const api: Api = apiOver(new Client((url, init) => fetch(url, init), "/api", passport));
let room: Room | null = null;
let health: Health | null = null;

function profile(): Profile {
  const known = passport.onlyTab ? keeping.tabProfile() : keeping.profile();
  if (known) return known;
  const fresh = { ...freshProfile(Math.random, keeping.profile()?.color) };
  if (passport.user && !passport.onlyTab) fresh.name = passport.user.name;
  keepProfile(fresh);
  return fresh;
}

function keepProfile(chosen: Profile): void {
  keeping.keepProfile(chosen, passport.onlyTab);
}

async function identify(name: string, route: Route): Promise<User> {
  const [sessionId, invite] = route.page === "room" ? [route.sessionId, route.invite] : [null, null];
  const open = health?.open_guests ?? false;
  return await passport.enter(name, sessionId, invite, open);
}

function show(element: HTMLElement): void {
  room?.dispose();
  room = null;
  document.title = "Holodeck";
  fill(app, element);
  if (!element.contains(toasts.element)) app.append(toasts.element);
}

function home(): void {
  history.pushState(null, "", "/");
  void render();
}

function problem(thrown: unknown, again: () => void): void {
  const card = h("section", { class: "card glass entry-card", testid: "problem" });
  fill(card, ...problemCard(thrown, home, again));
  show(framed(card, home));
}

async function render(): Promise<void> {
  try {
    health ??= await api.health();
  } catch (thrown) {
    return problem(thrown, () => void render());
  }
  const route = parseRoute(location.pathname, location.hash);
  if (route.page === "lobby") showLobby(health, route);
  else showEntry(health, route);
}

function showLobby(known: Health, route: Route): void {
  passport.use(null);
  show(
    lobby({
      api,
      toasts,
      health: known,
      profile: profile(),
      user: () => passport.user,
      keepProfile,
      identify: (name) => identify(name, route),
      logIn: (email, password) => passport.logIn(email, password),
      signOut: () => passport.signOut(),
      go: (to) => {
        if (to.page === "room") history.pushState(null, "", pathOf(to.sessionId, to.invite));
        void render();
      },
      enter: (session, chosen) => {
        history.pushState(null, "", pathOf(session.session_id, null));
        void enter({ page: "room", sessionId: session.session_id, invite: null }, chosen).catch((thrown) =>
          problem(thrown, () => void render()),
        );
      },
    }),
  );
}

function showEntry(known: Health, route: Extract<Route, { page: "room" }>): void {
  passport.use(route.sessionId);
  void import("./room/room");
  show(
    entry({
      api,
      health: known,
      profile,
      sessionId: route.sessionId,
      invite: route.invite,
      user: () => passport.user,
      identify: (name) => identify(name, route),
      logIn: (email, password) => passport.logIn(email, password),
      enter: (chosen) => enter(route, chosen),
      home,
    }),
  );
}

async function enter(route: Extract<Route, { page: "room" }>, chosen: Profile): Promise<void> {
  keepProfile(chosen);
  await identify(chosen.name, route);
  const { sessionId, invite } = route;
  const [joined, tab, { Room }, { openScene }] = await Promise.all([
    api.join(sessionId, { ...chosen, ...(invite ? { invite } : {}) }),
    tabId(sessionStorage),
    import("./room/room"),
    import("./room/scene"),
  ]);
  passport.markEntered();
  const keeper = await openScene(sessionId, joined.participant.user_id);
  const made = new Room({
    api,
    toasts,
    joined,
    invite,
    tabId: tab,
    profile: chosen,
    keeper,
    onOver: (over) => leave(over, joined.session),
  });
  show(made.element);
  room = made;
  try {
    made.start();
  } catch (thrown) {
    const drawable = document.createElement("canvas").getContext("webgl2") !== null;
    problem(drawable ? thrown : { code: "webgl" }, () => void render());
  }
}

function leave(over: Over, session: Session): void {
  if (over.kind === "left") {
    home();
    return;
  }
  const failure = new ApiError(over.code as ApiError["code"], over.message, 0, "", 0);
  problem(failure, () => {
    history.replaceState(null, "", pathOf(session.session_id, null));
    void render();
  });
}

window.addEventListener("popstate", () => void render());
window.addEventListener("hashchange", () => void render());
void render();
