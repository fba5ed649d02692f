/**
 * Voice's interface on a voice without sound, to be looked at: `npx vite` in web/, then /tests/voicebench.html?scene=busy.
 *
 * The world, the shell and the panels are the real ones; people are made up. `window.bench` changes what they do.
 */

import "@fontsource-variable/inter/wght.css";
import "@fontsource-variable/bricolage-grotesque/wght.css";
import "../src/styles/base.css";
import "../src/styles/room.css";
import "../src/styles/network.css";
import "../src/styles/edit.css";
import "../src/styles/voice.css";
import { Traffic } from "../src/presence/browser";
import { Roster } from "../src/presence/roster";
import { Connection } from "../src/room/connection";
import type { RoomContext } from "../src/room/context";
import { openEditor } from "../src/room/editing";
import { runKey } from "../src/room/keys";
import { roomPanel } from "../src/room/panels";
import { World } from "../src/room/world";
import { fill } from "../src/ui/dom";
import { NetworkPanel } from "../src/ui/network";
import { PeoplePanel } from "../src/ui/people";
import { PALETTE } from "../src/ui/person";
import { loadPreferences } from "../src/ui/preferences";
import { Shell } from "../src/ui/shell";
import { openShortcuts } from "../src/ui/shortcuts";
import { Toasts } from "../src/ui/toasts";
import { VoiceUi } from "../src/ui/voice";
import type { ChannelView, PersonView } from "../src/voice/types";
import type { Peer, Role, Session, VoiceChannel } from "../src/wire/generated";
import { FakeVoice, MAIN, person } from "./fakevoice";
import { LocalDocument } from "./localdocument";

const NAMES = [
  "Ada Lovelace",
  "Alan",
  "Grace",
  "Hedy",
  "Linus",
  "Margaret",
  "Niklaus",
  "Radia",
  "Barbara",
  "Edsger",
  "Katherine",
  "Tim",
];
const scene = new URLSearchParams(location.search).get("scene") ?? "empty";
const role: Role = [
  "moderator",
  "form",
  "recording",
  "keptout",

  "movedinarea",
  "elsewhere",
  "nobodyagrees",
  "playing",
].includes(scene)
  ? "owner"
  : "editor";
const app = document.getElementById("app") as HTMLElement;
const voice = new FakeVoice();
const roster = new Roster();
const toasts = new Toasts();
const peerOf = (userId: string, name: string, n: number): Peer => ({
  peer_id: `${userId}.tab`,
  user_id: userId,
  name,
  color: PALETTE[n % PALETTE.length] ?? "#6e56cf",
  role: "editor",
  kind: "guest",
  joined_at_ms: 0,
});
const me = { ...peerOf("usr_me", "Wren", 6), role };
const others = NAMES.map((name, n) => peerOf(`usr_${n}`, name, n));
const session = {
  name: "The observatory",
  settings: {},
  version: 1,
  max_participants: 50,
  visibility: "link",
} as unknown as Session;
const connection = new Connection({
  roster,
  tabId: "tab",
  me: () => me,
  ground: () => "websocket",
  socketRttMs: () => 31,
  traffic: new Traffic(),
  fps: () => 60,
  voice: () => null,
  report: async () => {},
  onSwitch: () => {},
});
const RECORDINGS = [
  ["Evening of readings", "ready", "ready", 2_420_000, 86_400_000],
  ["Monday", "ready", "none", 187_000, 7_200_000],
  ["Standup", "finishing", "none", 640_000, 240_000],
  ["Over at once", "failed", "none", 0, 900_000],
  ["Silence", "ready", "none", 64_000, 960_000],
].map(([name, status, mix, duration_ms, age], n) => ({
  recording_id: `rec_${n}`,
  empty_because: status === "failed" ? "no_node" : n === 4 ? "nobody_spoke" : null,
  name,
  channel_id: "main",
  started_by: "usr_0",
  started_at_ms: Date.now() - Number(age),
  duration_ms,
  status,
  mix,
}));
const api = new Proxy(
  {},
  {
    get: () => async () => ({
      participants: [],
      events: [],
      invites: [],
      peers: [],
      hours: [],
      relay: { status: "none" },
      recordings: RECORDINGS,
      ...RECORDINGS[0],
      tracks: others.slice(0, 2).map((peer) => ({
        peer_id: peer.peer_id,
        user_id: peer.user_id,
        name: peer.name,
        from_ms: RECORDINGS[0]?.started_at_ms,
        duration_ms: RECORDINGS[0]?.duration_ms,
        url: "#",
      })),
      mix_url: "#",
      timeline_url: null,
    }),
  },
);
const room = {
  api,
  toasts,
  sessionId: "ses_x",
  roster,
  connection,
  voice,
  session: () => session,
  learn: () => {},
  me: () => me,
  role: () => role,
  visit: () => {},
  lookAtCursor: async () => {},
  leave: () => {},
} as unknown as RoomContext;
const people = new PeoplePanel(room);
const network = new NetworkPanel(room, connection);
const panel = roomPanel(room, people, network);
let world: World | null = null;
const shell = new Shell({
  panel,
  toasts: toasts.element,
  details: connection.details,
  onConnection: () => panel.toggle("network"),
  onMode: () => world?.toggleMode(),
  onPreferences: () => {},
  onShortcuts: openShortcuts,
  onLeave: () => {},
  onRetry: () => {},
  onJoystick: () => {},
});
const nameOf = (userId: string): string =>
  [...roster.members.values()].find(({ peer }) => peer.user_id === userId)?.peer.name ?? "Somebody";
const ui = new VoiceUi({ room, voice, shell, panel, people, network, nameOf, world: () => world });
fill(app, shell.element);
world = new World(shell.stage, "dawn", me, roster, loadPreferences(localStorage, false), [0, 1.62, 13], {
  onState: () => {},
  onHead: () => {},
  onMode: (mode) => shell.setMode(mode),
  onFocus: (text) => shell.setFocus(text),
  onPick: () => {},
});
openEditor(new LocalDocument(), {
  world,
  shell,
  toasts,
  roster,
  you: () => me,
  role: () => role,
  peopleName: nameOf,
  history: null,
  locks: null,
});
shell.rename(session.name);

// -- who is there --

const at = Date.now();
roster.apply({
  type: "presence.frame",
  at_ms: at,
  joined: [me, ...others],
  states: others.map((peer, n) => ({
    peer_id: peer.peer_id,
    epoch: 1,
    counter: 1,
    at_ms: at,
    state: {
      pose: {
        position: [(n % 4) * 2.1 - 3, 1.62, 9 - Math.floor(n / 4) * 2.3],
        rotation: [0, n % 3 === 0 ? 0.98 : 0.2, 0, n % 3 === 0 ? 0.2 : 0.98],
      },
      activity: "active",
    },
  })),
} as never);
for (const [peerId, member] of roster.members) {
  if (peerId === me.peer_id) continue;
  world.crowd.join(member);
  if (member.state) world.crowd.take(member.state, at);
}
ui.showIn(world);
shell.setPeople([me, ...others]);

const STAGE: VoiceChannel = {
  ...MAIN,
  channel_id: "vch_stage0000000",
  name: "Lecture",
  kind: "stage",
  speakers: "named",
  speaker_ids: ["usr_9"],
  capacity: 40,
};
const NOOK: VoiceChannel = {
  ...MAIN,
  channel_id: "vch_nook00000000",
  name: "By the steps",
  capacity: 8,
  zone: { least: [1.5, -1, 7], greatest: [7.5, 4, 13] },
};
const good = { lossShare: 0.004, jitterMs: 6.2, concealedShare: 0.002, rttMs: 42, mos: 4.3 };
function busy(): void {
  const crowd: PersonView[] = others.map((peer, n) =>
    person(peer.user_id, {
      channelId: n < 7 ? "main" : n < 9 ? NOOK.channel_id : STAGE.channel_id,
      audible: n < 6,
    }),
  );
  const set = (n: number, change: Partial<PersonView>): void => {
    crowd[n] = { ...(crowd[n] as PersonView), ...change };
  };
  set(0, { speaking: true, quality: good });
  set(1, { selfMuted: true });
  set(2, { speaking: true, quality: { ...good, mos: 3.4, lossShare: 0.041, jitterMs: 22 } });
  set(3, { handRaisedAtMs: at - 130_000 });
  set(4, { muted: true, handRaisedAtMs: at - 20_000 });
  set(5, { listening: true });
  set(6, { blocked: true });
  set(9, { priority: true, speaking: true });
  const ids = (channelId: string): string[] =>
    crowd.filter((one) => one.channelId === channelId).map(({ userId }) => userId);
  const channels: ChannelView[] = [
    { channel: MAIN, userIds: ["usr_me", ...ids("main")], full: false, current: true },
    { channel: NOOK, userIds: ids(NOOK.channel_id), full: false, current: false },
    { channel: STAGE, userIds: ids(STAGE.channel_id), full: false, current: false },
  ];
  voice.change({
    people: crowd,
    channels,
    carrier: "relay",
    sound: "running",
    figures: { ...good, sentLossShare: 0.001, sentKbps: 31, targetKbps: 32, slots: 4 },
  });
  voice.levels.set("usr_0.tab", -14);
  voice.levels.set("usr_2.tab", -27);
}
const joined = (own: Partial<typeof voice.view.own> = {}): void =>
  voice.change({
    status: { kind: "joined" },
    own: { channelId: "main", putId: "main", microphone: "live", moderates: role === "owner", ...own },
  });
const inVoice: typeof joined = (own) => {
  busy();
  joined(own);
};
const standing = (): void => {
  inVoice({ channelId: NOOK.channel_id, inArea: true });
  const channels = voice.view.channels.map((one) => ({ ...one, current: one.channel === NOOK }));
  voice.change({ channels });
};
const recording = {
  recording_id: "rec_1",
  channel_id: "main",
  started_by: "usr_0",
  started_at_ms: at - 187_000,
  consented: ["usr_0", "usr_2"],
};

const SCENES: Record<string, () => void> = {
  empty: () => {},
  out: () => busy(),
  preview: () => {
    voice.change({ own: { microphone: "live" } });
    voice.levelDb = -18;
    ui.keys.j?.();
  },
  activation: () => {
    voice.change({ own: { microphone: "live" } });
    voice.settings({ talking: { mode: "activation", thresholdDb: -38, hangMs: 400 } });
    voice.levelDb = -25;
    ui.keys.j?.();
  },
  previewdenied: () => {
    voice.change({ own: { microphone: "denied" } });
    ui.keys.j?.();
  },
  busy: () => {
    inVoice({ speaking: true });
    voice.levelDb = -16;
    ui.panel.show("voices");
  },
  plain: () => {
    inVoice();
    voice.levelDb = -22;
  },
  channels: () => {
    inVoice();
    ui.panel.show("channels");
  },
  sound: () => {
    inVoice();
    ui.panel.show("sound");
  },
  moderator: () => {
    inVoice();
    ui.panel.show("voices");
    document.querySelectorAll<HTMLElement>('[data-testid="voice-more"]')[4]?.click();
  },
  form: () => {
    inVoice();
    ui.panel.show("channels");
    document.querySelectorAll<HTMLElement>('[data-testid="channel-edit"]')[1]?.click();
  },
  people: () => {
    inVoice();
    panel.show("people");
  },
  network: () => {
    inVoice();
    panel.show("network");
  },
  push: () => {
    inVoice();
    voice.settings({ talking: { mode: "push", thresholdDb: -45, hangMs: 400 } });
  },
  held: () => {
    inVoice();
    voice.levelDb = -12;
    voice.settings({ talking: { mode: "push", thresholdDb: -45, hangMs: 400 } });
    voice.hold(true);
  },
  denied: () => {
    inVoice({ microphone: "denied", listening: true });
  },
  blocked: () => {
    inVoice();
    voice.change({ sound: "blocked" });
  },
  keptout: () => {
    inVoice();
    const gone = (n: number): string => `usr_${n}`;
    voice.change({
      people: voice.view.people.filter((_, n) => n < 2),
      removed: [gone(8), gone(9)],
      blocked: [gone(10)],
    });
    ui.panel.show("voices");
  },
  speaker: () => {
    inVoice();
    voice.settings({ outputId: "headset" });
    voice.fellBack = true;
    voice.change({});
  },
  returning: () => {
    busy();
    voice.change({ returning: { listening: false } });
  },
  muted: () => {
    inVoice({ muted: true });
  },
  asked: () => {
    inVoice({ selfMuted: true, unmuteRequested: true });
  },
  selfmuted: () => {
    inVoice({ selfMuted: true });
  },
  listener: () => {
    inVoice({ microphone: "off", listening: true });
  },
  consent: () => {
    inVoice();
    voice.change({ recording });
  },
  recording: () => {
    inVoice();
    voice.change({ recording, consent: "given" });
    ui.panel.show("recordings");
  },
  elsewhere: () => {
    inVoice();
    voice.change({ recording: { ...recording, channel_id: NOOK.channel_id }, consent: "given" });
    ui.panel.show("recordings");
  },
  nobodyagrees: () => {
    inVoice();
    voice.change({ recording: { ...recording, consented: [], declined: ["usr_0"] }, consent: "declined" });
    ui.panel.show("recordings");
  },
  recordings: () => {
    inVoice();
    ui.panel.show("recordings");
  },
  playing: () => {
    inVoice();
    ui.panel.show("recordings");
    setTimeout(() => {
      for (const one of ["play", "download"])
        document.querySelector<HTMLElement>(`[data-testid="recording-${one}"]`)?.click();
    }, 300);
    setTimeout(() => {
      const bar = document.querySelector<HTMLInputElement>('[data-testid="player-scrubber"]');
      if (bar) bar.value = "1100000";
      for (const kind of ["input", "change"]) bar?.dispatchEvent(new Event(kind));
    }, 700);
  },
  inarea: () => {
    standing();
    ui.panel.show("channels");
  },
  movedinarea: () => {
    inVoice();
    const people = voice.view.people.map((one) =>
      one.channelId === NOOK.channel_id ? { ...one, inArea: true } : one,
    );
    voice.change({ people });
    ui.panel.show("voices");
    const row = document.querySelector<HTMLElement>('[data-user="usr_7"] [data-testid="voice-more"]');
    row?.click();
    row?.closest("li")?.scrollIntoView();
  },
  failed: () =>
    voice.change({
      status: { kind: "failed", code: "voice.full", text: "As many as can are in this room's voice." },
    }),
  keys: () => openShortcuts(),
};

function second(): void {
  const now = Date.now();
  shell.setConnection({ state: "live", failures: 0, standing: connection.look(now), retryInMs: 0 });
  panel.live(now);
  ui.live(now);
}
second();
setInterval(second, 500);
window.addEventListener("keydown", (event) => runKey(event, ui.keys));
SCENES[scene]?.();
world.lookAt([0, 1.2, 5]);
Object.assign(window, { bench: { voice, ui, world, panel, toasts, ready: true } });
