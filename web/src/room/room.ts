/** A room from entering to leaving: joins the carrier, the world and the panels. Decides little, connects much. */

import type { Profile } from "../identity/keeping";
import type { Plane } from "../peers/plane";
import { browserPorts, Timers, Traffic } from "../presence/browser";
import { Carrier, type Over } from "../presence/carrier";
import { Roster } from "../presence/roster";
import type { Keeper } from "../sync/keeping";
import { leaves } from "../ui/leaving";
import { NetworkPanel } from "../ui/network";
import type { Panel } from "../ui/panel";
import { PeoplePanel } from "../ui/people";
import { loadPreferences, openPreferences, type Preferences } from "../ui/preferences";
import { Shell } from "../ui/shell";
import { openShortcuts } from "../ui/shortcuts";
import type { Toasts } from "../ui/toasts";
import { VoiceUi } from "../ui/voice";
import type { Voice } from "../voice/voice";
import type { Api } from "../wire/api";
import type { JoinResult, Peer, Role, RoomState, ServerMessage, Session } from "../wire/generated";
import { Company } from "./company";
import { Connection } from "./connection";
import type { RoomContext } from "./context";
import { isElsewhere } from "./elsewhere";
import { Fallback, frameOf } from "./fallback";
import { figuresOf, figuresText } from "./figures";
import { keysOf, runKey } from "./keys";
import { Names } from "./names";
import { roomPanel } from "./panels";
import { Place } from "./place";
import { documentsBy, openPlane } from "./plane";
import { Pointing } from "./pointing";
import { Studio } from "./studio";
import { openVoice } from "./voice";
import { World } from "./world";

export interface RoomPorts {
  api: Api;
  toasts: Toasts;
  joined: JoinResult;
  invite: string | null;
  tabId: string;
  profile: Profile;
  /** What this page has kept of the scene. */
  keeper: Keeper;
  /** Called once, when the room is over for this page. */
  onOver(over: Over): void;
}

const PEOPLE_EVERY_MS = 500;

export class Room implements RoomContext {
  readonly element: HTMLElement;
  readonly roster = new Roster();
  readonly sessionId: string;
  readonly api: Api;
  readonly toasts: Toasts;
  /** Null where the browser has no WebRTC. */
  readonly plane: Plane | null;
  readonly connection: Connection;
  readonly voice: Voice;
  private readonly voiceUi: VoiceUi;
  private readonly carrier: Carrier;
  private readonly company: Company;
  private readonly studio: Studio;
  private readonly timers = new Timers();
  private readonly traffic = new Traffic();
  private readonly place: Place;
  private readonly pointing: Pointing;
  private readonly shell: Shell;
  private readonly panel: Panel;
  private readonly people: PeoplePanel;
  private readonly network: NetworkPanel;
  private readonly fallback: Fallback;
  private readonly abort = new AbortController();
  private readonly clock: ReturnType<typeof setInterval>;
  private world: World | null = null;
  private readonly names: Names;
  private current: Session;
  private you: Peer | null = null;
  private ownRole: Role;
  private frames = 0;
  private preferences: Preferences;

  constructor(private readonly ports: RoomPorts) {
    this.api = ports.api;
    this.toasts = ports.toasts;
    this.current = ports.joined.session;
    this.ownRole = ports.joined.participant.role;
    this.sessionId = this.current.session_id;
    this.pointing = new Pointing(this.api, this.sessionId, this.toasts);
    this.place = new Place(sessionStorage, this.sessionId);
    this.preferences = loadPreferences(localStorage, matchMedia("(prefers-reduced-motion: reduce)").matches);
    this.connection = new Connection({
      roster: this.roster,
      tabId: ports.tabId,
      me: () => this.you,
      ground: () => (this.carried ? "websocket" : this.fallback.serving ? "rest" : "none"),
      socketRttMs: () => this.carrier.rttMs,
      traffic: this.traffic,
      fps: () => this.world?.rate.fps ?? null,
      voice: () => this.voice.quality(),
      report: (report) => this.api.reportQuality(this.sessionId, report),
      onSwitch: ({ text, better }) => (better ? this.shell.announce(text) : this.toasts.show(text)),
    });
    this.connection.prefer(this.preferences);
    this.people = new PeoplePanel(this);
    const members = (cursor: string | null) => this.api.participants(this.sessionId, cursor);
    this.names = new Names(this.roster, members, () => this.studio.refresh());
    this.network = new NetworkPanel(this, this.connection);
    this.panel = roomPanel(this, this.people, this.network);
    this.shell = this.makeShell();
    this.element = this.shell.element;
    const { roster, toasts } = this;
    this.company = new Company(roster, toasts, this.me.bind(this), ({ left }) => {
      this.plane?.peersChanged(left);
      this.showPeople();
    });
    this.fallback = new Fallback(this.api, this.sessionId, (list) => {
      const { frame, states } = frameOf(list);
      this.company.take(frame);
      this.company.glimpse(states);
    });
    const join = { ...(ports.invite ? { invite: ports.invite } : {}), ...ports.profile };
    const world = browserPorts(this.api, this.sessionId, ports.tabId, () => join, this.timers, this.traffic);
    this.carrier = new Carrier(world, this.place.epoch(Date.now()), {
      onState: (_, over) => this.socketChanged(over),
      onEntered: (room) => this.entered(room),
      onMessage: (message) => this.receive(message),
    });
    this.studio = new Studio({
      api: this.api,
      sessionId: this.sessionId,
      keeper: ports.keeper,
      send: documentsBy(() => this.plane, this.carrier),
      after: world.after,
    });
    this.plane = openPlane({
      api: this.api,
      sessionId: this.sessionId,
      tabId: ports.tabId,
      timers: this.timers,
      carrier: this.carrier,
      roster: this.roster,
      signal: this.abort.signal,
      onStates: (states) => this.company.hear(states),
      onMessage: (message) => void (this.voice.takes(message) || this.studio.takes(message)),
      onRelay: (open) => this.studio.relayed(open, this.carried),
    });
    if (this.plane) this.connection.use(this.plane);
    const { timers, plane } = this;
    this.voice = openVoice({ room: this, plane, tabId: ports.tabId, timers, world: () => this.world });
    const { voice, shell, panel, people, network } = this;
    const nameOf = (userId: string): string => this.names.of(userId);
    const parts = { room: this, voice, shell, panel, people, network };
    this.voiceUi = new VoiceUi({ ...parts, nameOf, world: () => this.world });
    this.clock = setInterval(() => this.second(), PEOPLE_EVERY_MS);
    this.listen();
  }

  /** After the element is in the page. Throws where there is no WebGL 2. */
  start(): void {
    const { name, color, role } = this.ports.joined.participant;
    const environment = this.current.settings.environment ?? "dawn";
    const persona = { name, color, role };
    this.world = new World(
      this.shell.stage,
      environment,
      persona,
      this.roster,
      this.preferences,
      this.place.start(Math.random),
      {
        onState: (state) => this.carrier.offer(state),
        onHead: (pose) => this.voice.sound.listener(pose),
        onMode: (mode) => this.shell.setMode(mode),
        onFocus: (text) => this.shell.setFocus(text),
        onPick: (hit) => {
          if (hit && this.fallback.serving) void this.pointing.tell(hit.position, hit.target);
        },
      },
    );
    this.company.world = this.world;
    this.voiceUi.showIn(this.world);
    this.learn(this.current);
    window.__holodeck = figuresOf({
      world: this.world,
      carrier: this.carrier,
      plane: this.plane,
      voice: this.voice,
      fallback: this.fallback,
      roster: this.roster,
      scene: this.studio.scene,
      me: () => this.you,
      frames: () => this.frames,
    });
    this.shell.stage.focus({ preventScroll: true });
    const { world, shell, toasts, roster } = this;
    const people = {
      you: () => this.you,
      role: () => this.ownRole,
      peopleName: (id: string) => this.names.of(id),
    };
    this.studio.open({ world, shell, toasts, roster, ...people });
    this.carrier.start();
  }

  session(): Session {
    return this.current;
  }

  learn(session: Session): void {
    if (session.version < this.current.version) return;
    if (session.role) this.ownRole = session.role;
    const look = session.settings.environment ?? "dawn";
    if (look !== this.current.settings.environment) this.world?.show(look);
    this.current = session;
    this.shell.rename(session.name);
  }

  me(): Peer | null {
    return this.you;
  }

  role(): Role {
    return this.ownRole;
  }

  visit(userId: string): void {
    const peer = this.world?.crowd.shown().find(({ peerId }) => peerId.startsWith(`${userId}.`));
    if (peer?.position) this.world?.visit(peer.position);
    this.panel.close();
  }

  async lookAtCursor(userId: string): Promise<void> {
    const position = await this.pointing.of(userId);
    if (position) this.world?.lookAt(position);
  }

  leave(): void {
    this.voice.stop(true);
    this.plane?.stop("left", true);
    this.carrier.stop();
  }

  dispose(): void {
    this.abort.abort();
    this.voice.stop(false);
    this.voiceUi.dispose();
    this.plane?.stop(null, false);
    clearInterval(this.clock);
    this.fallback.stop();
    this.connection.dispose();
    this.studio.dispose();
    this.timers.dispose();
    this.world?.dispose();
    this.element.remove();
    delete window.__holodeck;
  }

  // -- what comes from the server --

  private entered(room: RoomState): void {
    this.you = room.you;
    this.ownRole = room.you.role;
    this.learn(room.session);
    this.world?.become({ name: room.you.name, color: room.you.color, role: room.you.role });
    this.world?.tell();
    this.studio.entered();
    this.plane?.entered(room);
    this.voice.entered();
  }

  private receive(message: ServerMessage): void {
    if (this.plane?.receive(message) || this.voice.takes(message) || this.studio.takes(message)) return;
    if (isElsewhere(message)) return;
    switch (message.type) {
      case "presence.frame":
        this.frames += 1;
        this.connection.heardStates(message.states?.length ?? 0);
        this.company.take(message);
        break;
      case "participant.changed":
        this.roleChanged(message.user_id, message.role);
        break;
      case "participant.removed":
        this.company.expel(message.user_id);
        break;
      case "session.changed":
        this.learn({ ...message.session, role: this.ownRole });
        break;
      case "error":
        this.toasts.refused(message);
        break;
      default:
        message satisfies never;
    }
  }

  private roleChanged(userId: string, role: Role): void {
    this.company.roleChanged(userId, role);
    if (userId === this.you?.user_id) {
      this.ownRole = role;
      if (this.panel.open) this.panel.show(this.panel.open);
    }
    this.people.render();
    this.studio.refresh();
  }

  private socketChanged(over: Over | null): void {
    const { carried, carrier } = this;
    this.studio.carried(carried || (this.plane?.relay.open ?? false));
    if (carried || carrier.state === "over") this.fallback.stop();
    else this.fallback.start();
    this.second();
    if (over) this.ports.onOver(over);
  }

  /** By the WebSocket. */
  private get carried(): boolean {
    return this.carrier.state === "live" || this.carrier.state === "renewing";
  }

  // -- what comes from the person --

  private makeShell(): Shell {
    return new Shell({
      panel: this.panel,
      toasts: this.toasts.element,
      details: this.connection.details,
      onConnection: () => this.panel.toggle("network"),
      onMode: () => this.world?.toggleMode(),
      onPreferences: () => this.openPreferences(),
      onShortcuts: openShortcuts,
      onLeave: () => void this.askToLeave(),
      onRetry: () => this.carrier.retryNow(),
      onJoystick: (right, forward) => {
        if (!this.world) return;
        this.world.input.joystick = { right, forward };
        this.world.input.lastUsedAt = performance.now();
      },
    });
  }

  private openPreferences(): void {
    openPreferences(this.preferences, localStorage, (preferences) => {
      this.preferences = preferences;
      this.world?.prefer(preferences);
      this.connection.prefer(preferences);
      document.documentElement.classList.toggle("reduced-motion", preferences.reducedMotion);
      this.second();
    });
  }

  private async askToLeave(): Promise<void> {
    const giveUp = (): Promise<unknown> => this.api.leave(this.sessionId);
    if (await leaves(this.ownRole, giveUp, this.toasts)) this.leave();
  }

  private listen(): void {
    const { signal } = this.abort;
    window.addEventListener("online", () => this.carrier.online(), { signal });
    window.addEventListener("offline", () => this.carrier.offline(), { signal });
    window.addEventListener("pagehide", () => this.world && this.place.keep(this.world.position), { signal });
    document.addEventListener("visibilitychange", () => this.world?.tell(), { signal });
    window.addEventListener("keydown", (event) => this.key(event), { signal });
    document.documentElement.classList.toggle("reduced-motion", this.preferences.reducedMotion);
  }

  private key(event: KeyboardEvent): void {
    const { panel, voiceUi: voice } = this;
    const preferences = (): void => this.openPreferences();
    runKey(event, keysOf({ world: () => this.world, panel, voice, preferences }));
  }

  // -- what is shown --

  private second(): void {
    const { state, failures, retryAtMs } = this.carrier;
    const now = Date.now();
    this.shell.setConnection({
      state,
      failures,
      standing: this.connection.look(now),
      retryInMs: Math.max(0, retryAtMs - now),
    });
    this.panel.live(now);
    this.voiceUi.live(now);
    this.shell.setFigures(
      this.preferences.figures && window.__holodeck ? figuresText(window.__holodeck) : null,
    );
  }

  private showPeople(): void {
    const people = new Map<string, Peer>();
    for (const { peer } of this.roster.members.values()) people.set(peer.user_id, peer);
    this.shell.setPeople([...people.values()]);
    if (this.panel.open === "people") this.people.render();
  }
}
