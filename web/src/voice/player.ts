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
  /** The address that it was given. */
  url: string;
  /** Its file did not come: until then it is left alone. */
  missingUntilMs: number;
}

const TICK_MS = 100;
/** A file is begun so long before its page speaks: it is fetched meanwhile. */
const AHEAD_MS = 1500;
/** So far off the clock is put right; less is not heard. */
const OFF_S = 0.12;
/** A file that does not come, and new addresses, are asked for no sooner again. */
const AGAIN_MS = 30_000;
/** Voices at once; more are not told apart. */
const VOICES = 8;

export class Player {
  private readonly parts: Part[];
  private readonly stop: () => void;
  private atMs = 0;
  private sinceMs: number | null = null;
  private context: object | null = null;
  private closed = false;
  private renewedAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    readonly recording: Recording,
    private readonly timeline: Timeline,
    private readonly ports: PlayerPorts,
    private readonly onChange: () => void,
  ) {
    this.parts = (recording.tracks ?? []).map((track) => ({
      track,
      element: null,
      url: "",
      missingUntilMs: Number.NEGATIVE_INFINITY,
    }));
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

  /** Who speaks now, by name; nobody once it has ended. */
  get speakers(): string[] {
    const at = this.positionMs;
    if (at >= this.durationMs) return [];
    const speaking = this.parts.filter(({ track }) => this.timeline.speaks(track.peer_id, at, at + 1));
    return [...new Set(speaking.map(({ track }) => track.name))];
  }

  /** On a gesture. From the beginning, where it had ended. */
  async play(): Promise<void> {
    await this.ports.sound.start();
    if (this.closed) return;
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
    this.closed = true;
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

  private heard({ track, missingUntilMs }: Part, at: number): boolean {
    if (this.ports.nowMs() < missingUntilMs) return false;
    const from = this.fromMs(track);
    if (at + AHEAD_MS < from || at > from + track.duration_ms) return false;
    return this.timeline.speaks(track.peer_id, at, at + AHEAD_MS);
  }

  private follow(part: Part, at: number): void {
    const { track } = part;
    part.element ??= this.make(part);
    const { element } = part;
    if (element.error) {
      this.failed(part);
      return;
    }
    const place = { who: track.peer_id, position: this.timeline.place(track.peer_id, at), gain: 1 };
    this.ports.sound.place(idOf(track), { ...place, ...this.ports.law() });
    const want = (at - this.fromMs(track)) / 1000;
    const whereS = Math.max(0, want);
    if (!element.seeking && Math.abs(element.currentTime - whereS) > OFF_S) element.currentTime = whereS;
    if (!this.playing || want < 0) element.pause();
    else if (element.paused) void element.play().catch(() => {});
  }

  private make(part: Part): Element {
    const element = this.ports.element();
    part.url = part.track.url;
    element.src = part.url;
    const node = this.ports.node(element);
    if (node) this.ports.sound.feed(idOf(part.track), node);
    return element;
  }

  /** Its address has ended, or it is gone: tried again by a new address if there is one, and else after a while. */
  private failed(part: Part): void {
    this.drop(part);
    if (part.url !== part.track.url) return;
    const now = this.ports.nowMs();
    part.missingUntilMs = now + AGAIN_MS;
    if (now >= this.renewedAtMs + AGAIN_MS) {
      this.renewedAtMs = now;
      void this.ports.renew().then(
        (recording) => this.renewed(recording),
        () => {},
      );
    }
  }

  private renewed({ tracks = [] }: Recording): void {
    for (const part of this.parts) {
      part.track = tracks.find(({ peer_id }) => peer_id === part.track.peer_id) ?? part.track;
      part.missingUntilMs = Number.NEGATIVE_INFINITY;
    }
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
