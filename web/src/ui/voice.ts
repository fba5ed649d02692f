/** Voice's interface in a room: the bar, what asks for an answer, the panel, the red dot, the keys; and what avatars and lists show of it. */

import type { RoomContext } from "../room/context";
import type { World } from "../room/world";
import { recordingsOf } from "../voice/recordingsroom";
import type { RoomVoice } from "../voice/types";
import type { NetworkPanel } from "./network";
import { Panel } from "./panel";
import type { PeoplePanel } from "./people";
import { RecordingsList } from "./recordings";
import type { Shell } from "./shell";
import { VoiceBar } from "./voicebar";
import { VoiceChannelsPage } from "./voicechannels";
import { tried, type VoiceDesk } from "./voicedesk";
import { holdByKey, holdTo } from "./voicekeys";
import { Beat } from "./voicemeter";
import { VoiceNotices } from "./voicenotices";
import { signsOf, zonesOf } from "./voiceorder";
import { VoicePeoplePage } from "./voicepeople";
import { openVoicePreview } from "./voicepreview";
import { RecordingMark, VoiceRecordingPage } from "./voicerecording";
import { meterOf } from "./voicescale";
import { VoiceSoundPage } from "./voicesound";

export interface VoiceUiPorts {
  room: RoomContext;
  voice: RoomVoice;
  shell: Shell;
  /** The room's own panel: there is place for one of the two. */
  panel: Panel;
  people: PeoplePanel;
  network: Pick<NetworkPanel, "voice">;
  nameOf(userId: string): string;
  world(): World | null;
}

export class VoiceUi {
  readonly panel: Panel;
  private readonly desk: VoiceDesk;
  private readonly beat = new Beat();
  private readonly bar: VoiceBar;
  private readonly notices: VoiceNotices;
  private readonly mark: RecordingMark;
  private readonly voices: VoicePeoplePage;
  private readonly channels: VoiceChannelsPage;
  private readonly sound: VoiceSoundPage;
  private readonly recording: VoiceRecordingPage;
  private readonly recordings: RecordingsList;
  private readonly abort = new AbortController();
  private readonly stop: () => void;
  private stopRings: () => void = () => {};
  private drawn = "";
  /** Pages whose voice is lit. */
  private readonly speaking = new Set<string>();

  constructor(private readonly ports: VoiceUiPorts) {
    const { room, voice, shell } = ports;
    this.desk = {
      room,
      voice,
      beat: this.beat,
      nameOf: ports.nameOf,
      position: () => ports.world()?.position ?? null,
      open: (page) => this.panel.toggle(page),
    };
    this.bar = new VoiceBar(this.desk, {
      onJoin: () => this.preview(),
      onLeave: () => void tried(this.desk, voice.leave(), "You are still in voice."),
      onMicrophone: () => void tried(this.desk, voice.openMicrophone(), "You still only listen."),
    });
    this.notices = new VoiceNotices(this.desk);
    this.mark = new RecordingMark(this.desk);
    this.voices = new VoicePeoplePage(this.desk, {
      onJoin: () => this.preview(),
      onMute: () => this.bar.toggleMute(),
    });
    this.channels = new VoiceChannelsPage(this.desk);
    this.sound = new VoiceSoundPage(this.desk);
    this.recording = new VoiceRecordingPage(this.desk);
    this.recordings = new RecordingsList(this.desk, recordingsOf(room));
    this.recording.hold(this.recordings);
    this.panel = this.makePanel();
    shell.below.append(this.bar.element, this.notices.element);
    shell.beside.append(this.mark.element);
    shell.element.append(this.panel.element);
    this.share();
    holdByKey(shell.stage, (held) => holdTo(voice, held), this.abort.signal);
    this.stop = voice.onChange(() => this.changed());
    this.changed();
  }

  /** The room's keys that are voice's. */
  readonly keys: Readonly<Record<string, () => void>> = {
    j: () => this.preview(),
    m: () => this.bar.toggleMute(),
    u: () => this.bar.raise(),
    k: () => this.panel.toggle("voices"),
  };

  /** Closes the panel, if it is open; whether it was. */
  close(): boolean {
    const open = this.panel.open !== null;
    this.panel.close();
    return open;
  }

  /** What moves with time alone; about twice a second. */
  live(nowMs: number): void {
    this.mark.render(nowMs);
    this.panel.live(nowMs);
  }

  dispose(): void {
    this.abort.abort();
    this.stop();
    this.stopRings();
    this.sound.close();
    this.bar.dispose();
    this.notices.dispose();
    this.recordings.dispose();
    this.beat.dispose();
    this.panel.element.remove();
    this.mark.element.remove();
  }

  private preview(): void {
    const { status } = this.desk.voice.view;
    if (status.kind !== "out" && status.kind !== "failed") return;
    openVoicePreview(this.desk.voice, this.beat, async (listening) => {
      await tried(this.desk, this.desk.voice.join(undefined, { listening }), "");
    });
  }

  private makePanel(): Panel {
    const page = (
      name: string,
      title: string,
      icon: "people" | "spatial" | "tune" | "record",
      of: { element: HTMLElement; render(): void },
    ) => ({
      name,
      title,
      icon,
      element: of.element,
      refresh: async () => of.render(),
      live: () => of.render(),
    });
    return new Panel(
      [
        page("voices", "Voices", "people", this.voices),
        page("channels", "Channels", "spatial", this.channels),
        page("sound", "Sound", "tune", this.sound),
        page("recordings", "Recordings", "record", this.recording),
      ],
      { name: "voicepanel", label: "Voice" },
    );
  }

  /** The two panels share one place: opening one closes the other, and the focus stays in what was opened. */
  private share(): void {
    const { panel, shell } = this.ports;
    const told = panel.onToggle;
    const frame = (): void => {
      shell.element.classList.toggle("with-panel", panel.open !== null || this.panel.open !== null);
      shell.element.classList.toggle("with-voicepanel", this.panel.open !== null);
    };
    const giveWay = (other: Panel): void => {
      if (other.open === null) return;
      const focused = document.activeElement as HTMLElement | null;
      other.close();
      focused?.focus({ preventScroll: true });
    };
    panel.onToggle = (open) => {
      told(open);
      if (open !== null) giveWay(this.panel);
      frame();
    };
    this.panel.onToggle = (open) => {
      if (open !== null) giveWay(panel);
      this.stopRings();
      this.stopRings = open === "voices" ? this.beat.add(() => this.voices.move()) : () => {};
      this.recording.show(open === "recordings");
      if (open === "sound") this.sound.open();
      else this.sound.close();
      frame();
    };
  }

  private changed(): void {
    const { people, network, world } = this.ports;
    const { view } = this.desk.voice;
    this.mark.render(Date.now());
    this.panel.live(Date.now());
    people.voices = view.people;
    if (this.ports.panel.open === "people") people.render();
    this.speaking.clear();
    for (const { speaking, blocked, peerIds } of view.people)
      if (speaking && !blocked) for (const peerId of peerIds) this.speaking.add(peerId);
    network.voice = view;
    const shown = world();
    if (shown) this.drawIn(shown);
  }

  /** What names carry and where areas are, where that is another now. */
  private drawIn(world: World): void {
    const { view } = this.desk.voice;
    const [signs, zones] = [signsOf(view), zonesOf(view)];
    const key = JSON.stringify([[...signs], zones]);
    if (key === this.drawn) return;
    this.drawn = key;
    world.crowd.showSigns(signs);
    world.zones.show(zones);
  }

  /** Lets the world show who speaks. */
  showIn(world: World): void {
    const { voice } = this.desk;
    world.loudness = {
      of: (peerId) => (this.speaking.has(peerId) ? Math.max(QUIET, meterOf(voice.level(peerId))) : 0),
      own: () => (voice.view.own.speaking ? Math.max(QUIET, meterOf(voice.microphone.level())) : 0),
    };
    this.drawIn(world);
  }
}

/** Who speaks without being heard here is lit too, a little. */
const QUIET = 0.18;
