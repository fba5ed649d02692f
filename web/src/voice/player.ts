/**
 * Plays a recording in the room: every page's file from where its person stood then, through the same graph as live voices (`Sound.feed`).
 *
 * One clock; each file is a media element that follows it, which the browser fetches by spans as it needs them. Only who speaks about now is
 * played: a file has its silences in it, so that it may be left and met again at any place. Everybody plays for themselves.
 */

import type { Recording, RecordingTrack } from "../wire/generated";
import type { Timeline } from "./timeline";
import type { Placement, Sound, SourceId } from "./types";

/** What of a media element is used. */
export interface Element {
  src: string;
  currentTime: number;
  readonly paused: boolean;
  readonly seeking: boolean;
  readonly error: unknown;
  play(): Promise<void>;
  pause(): void;
  removeAttribute(name: string): void;
  load(): void;
}

export interface PlayerPorts {
  sound: Pick<Sound, "start" | "feed" | "place">;
  /** An element that may be read from another origin. */
  element(): Element;
  /** What nodes are made by now; null while there is no sound, another one after sound was stopped and begun again. */
  context(): object | null;
  /** The node that an element's sound comes from; null where nothing plays yet. */
  node(element: Element): AudioNode | null;
  nowMs(): number;
  /** Calls again and again until it is stopped. */
  every(ms: number, call: () => void): () => void;
  /** The same recording with addresses that last again. */
  renew(): Promise<Recording>;
  /** How voices of the recorded channel sound. */
  law(): Pick<Placement, "distance" | "kind">;
}

interface Part {
  track: RecordingTrack;
  element: Element | null;
  renewed: boolean;
}

const TICK_MS = 100;
/** A file is begun so long before its page speaks: it is fetched meanwhile. */
const AHEAD_MS = 1500;
/** So far off the clock is put right; less is not heard. */
const OFF_S = 0.12;
/** Voices at once; more are not told apart. */
const VOICES = 8;

export class Player {
  private readonly parts: Part[];
  private readonly stop: () => void;
  private atMs = 0;
  private sinceMs: number | null = null;
  private context: object | null = null;
  private renewing: Promise<void> | null = null;

  constructor(
    readonly recording: Recording,
    private readonly timeline: Timeline,
    private readonly ports: PlayerPorts,
    private readonly onChange: () => void,
  ) {
    this.parts = (recording.tracks ?? []).map((track) => ({ track, element: null, renewed: false }));
    this.stop = ports.every(TICK_MS, () => this.tick());
  }

  get playing(): boolean {
    return this.sinceMs !== null;
  }

  get durationMs(): number {
    return this.recording.duration_ms;
  }

  get positionMs(): number {
    const passed = this.sinceMs === null ? 0 : this.ports.nowMs() - this.sinceMs;
    return Math.min(this.durationMs, this.atMs + passed);
  }

  /** Who speaks now, by name. */
  get speakers(): string[] {
    const at = this.positionMs;
    const speaking = this.parts.filter(({ track }) => this.timeline.speaks(track.peer_id, at, at + 1));
    return [...new Set(speaking.map(({ track }) => track.name))];
  }

  /** On a gesture. From the beginning, where it had ended. */
  async play(): Promise<void> {
    await this.ports.sound.start();
    if (this.positionMs >= this.durationMs) this.atMs = 0;
    this.sinceMs ??= this.ports.nowMs();
    this.tick();
  }

  pause(): void {
    this.atMs = this.positionMs;
    this.sinceMs = null;
    for (const part of this.parts) part.element?.pause();
    this.onChange();
  }

  seek(ms: number): void {
    this.atMs = Math.max(0, Math.min(this.durationMs, ms));
    if (this.playing) this.sinceMs = this.ports.nowMs();
    this.tick();
  }

  /** Nothing is left of it. */
  close(): void {
    this.stop();
    this.sinceMs = null;
    for (const part of this.parts) this.drop(part);
  }

  private tick(): void {
    const at = this.positionMs;
    const context = this.ports.context();
    if (context !== this.context) {
      for (const part of this.parts) this.drop(part);
      this.context = context;
    }
    if (this.playing && (at >= this.durationMs || context === null)) {
      this.pause();
      return;
    }
    const heard = context === null ? [] : this.parts.filter((part) => this.heard(part, at));
    const wanted = new Set(heard.slice(0, VOICES));
    for (const part of this.parts) {
      if (wanted.has(part)) this.follow(part, at);
      else this.drop(part);
    }
    this.onChange();
  }

  private heard({ track }: Part, at: number): boolean {
    const from = this.fromMs(track);
    if (at + AHEAD_MS < from || at > from + track.duration_ms) return false;
    return this.timeline.speaks(track.peer_id, at, at + AHEAD_MS);
  }

  private follow(part: Part, at: number): void {
    const { track } = part;
    part.element ??= this.make(part);
    const { element } = part;
    if (element.error) {
      this.renew(part);
      return;
    }
    const place = { who: track.peer_id, position: this.timeline.place(track.peer_id, at), gain: 1 };
    this.ports.sound.place(idOf(track), { ...place, ...this.ports.law() });
    const want = (at - this.fromMs(track)) / 1000;
    if (!this.playing || want < 0) {
      element.pause();
      if (!element.seeking) element.currentTime = Math.max(0, want);
      return;
    }
    if (!element.seeking && Math.abs(element.currentTime - want) > OFF_S) element.currentTime = want;
    if (element.paused) void element.play().catch(() => {});
  }

  private make(part: Part): Element {
    const element = this.ports.element();
    element.src = part.track.url;
    const node = this.ports.node(element);
    if (node) this.ports.sound.feed(idOf(part.track), node);
    return element;
  }

  /** An address has ended, or a file does not come: once more with new ones, once. */
  private renew(part: Part): void {
    this.drop(part);
    if (part.renewed) return;
    part.renewed = true;
    this.renewing ??= this.ports
      .renew()
      .then(({ tracks = [] }) => {
        for (const each of this.parts) {
          const newer = tracks.find(({ peer_id }) => peer_id === each.track.peer_id);
          if (newer) each.track = newer;
        }
        for (const each of this.parts) each.renewed = each.element !== null && each.renewed;
      })
      .catch(() => {})
      .finally(() => {
        this.renewing = null;
      });
  }

  private drop(part: Part): void {
    const { element, track } = part;
    if (!element) return;
    part.element = null;
    this.ports.sound.place(idOf(track), null);
    this.ports.sound.feed(idOf(track), null);
    element.pause();
    element.removeAttribute("src");
    element.load();
  }

  private fromMs(track: RecordingTrack): number {
    return track.from_ms - this.recording.started_at_ms;
  }
}

function idOf(track: RecordingTrack): SourceId {
  return `play:${track.peer_id}`;
}
