/** A room's recordings as the page knows them: the list, looked at again while anything of it is under way, and what may be done. */

import type { Api } from "../wire/api";
import type { ChannelId, Recording, RecordingId } from "../wire/generated";
import { Player, type PlayerPorts } from "./player";
import { Timeline } from "./timeline";

export interface RecordingsPorts {
  api: Pick<Api, "recordings" | "recording" | "startRecording" | "changeRecording" | "deleteRecording">;
  sessionId: string;
  /** The text at an address. */
  text(url: string): Promise<string>;
  after(ms: number, call: () => void): () => void;
  player: Omit<PlayerPorts, "renew" | "law">;
  /** How voices of a channel sound. */
  law(channelId: ChannelId): ReturnType<PlayerPorts["law"]>;
}

/** What is under way is looked at so often; what is recorded, so that its end by itself is seen. */
const SOON_MS = 2000;
const RECORDING_MS = 30_000;
/** A list that somebody looks at, or plays of, is read again so often: nobody tells that a recording was deleted, or mixed. */
const SHOWN_MS = 30_000;
/** Whatever happens in the room, it is not read for that sooner after it was read last. */
const LEAST_MS = 5000;

export class Recordings {
  list: readonly Recording[] = [];
  /** Whether the list was ever read. */
  known = false;
  player: Player | null = null;
  private readonly listeners = new Set<() => void>();
  private readonly goneListeners = new Set<(recording: Recording) => void>();
  private cancel: () => void = () => {};
  /** When it is read next by itself. */
  private dueAtMs = Number.POSITIVE_INFINITY;
  private readAtMs = Number.NEGATIVE_INFINITY;
  private shown = false;
  private closed = false;
  /** Counts what was to be played, and what was to be read: whatever comes last does. */
  private turn = 0;
  private reading = 0;

  constructor(private readonly ports: RecordingsPorts) {}

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** What was played here has been deleted by somebody: it is played no more. */
  onGone(listener: (recording: Recording) => void): () => void {
    this.goneListeners.add(listener);
    return () => this.goneListeners.delete(listener);
  }

  /** Reads the list; again by itself while anything of it is to change, or it is looked at. Rejects where this reading does. */
  async read(): Promise<void> {
    this.rest();
    this.readAtMs = this.now;
    this.reading += 1;
    const { reading } = this;
    try {
      const { recordings } = await this.ports.api.recordings(this.ports.sessionId);
      if (reading === this.reading && !this.closed) this.take(recordings);
    } catch (thrown) {
      this.plan(this.pause() === null ? null : RECORDING_MS);
      throw thrown;
    }
  }

  /** Whether somebody looks at the list now. */
  show(shown: boolean): void {
    if (shown === this.shown) return;
    this.shown = shown;
    this.rest();
    this.plan(shown && this.now - this.readAtMs >= LEAST_MS ? 0 : this.pause());
  }

  /** Something happened that the list may have to do with: it is read again, soon, if anybody looks. */
  soon(): void {
    if (this.used) this.plan(Math.max(0, this.readAtMs + LEAST_MS - this.now));
  }

  async start(channelId: ChannelId, name: string | null): Promise<void> {
    await this.ports.api.startRecording(this.ports.sessionId, { channel_id: channelId, name });
    await this.read();
  }

  async finish(recordingId: RecordingId): Promise<void> {
    await this.ports.api.changeRecording(this.ports.sessionId, recordingId, { stop: true });
    await this.read();
  }

  async mix(recordingId: RecordingId): Promise<void> {
    await this.ports.api.changeRecording(this.ports.sessionId, recordingId, { mix: true });
    await this.read();
  }

  async remove(recordingId: RecordingId): Promise<void> {
    if (this.player?.recording.recording_id === recordingId) this.shut();
    await this.ports.api.deleteRecording(this.ports.sessionId, recordingId);
    await this.read();
  }

  /** One with the addresses of its files. */
  files(recordingId: RecordingId): Promise<Recording> {
    return this.ports.api.recording(this.ports.sessionId, recordingId);
  }

  /** Plays one, instead of what is played now. On a gesture. */
  async open(recordingId: RecordingId): Promise<void> {
    this.turn += 1;
    const { turn } = this;
    const recording = await this.files(recordingId);
    const timeline = new Timeline(
      recording.timeline_url ? await this.ports.text(recording.timeline_url) : "",
    );
    if (turn !== this.turn) return;
    this.shut();
    this.player = new Player(
      recording,
      timeline,
      {
        ...this.ports.player,
        renew: () => this.files(recordingId),
        law: () => this.ports.law(recording.channel_id),
      },
      () => this.tell(),
    );
    this.plan(this.pause());
    await this.player.play();
  }

  /** Plays no more, nor what was about to be. */
  shut(): void {
    this.turn += 1;
    this.player?.close();
    this.player = null;
    this.tell();
  }

  close(): void {
    this.closed = true;
    this.rest();
    this.listeners.clear();
    this.goneListeners.clear();
    this.shut();
  }

  private take(recordings: readonly Recording[]): void {
    this.list = recordings;
    this.known = true;
    const played = this.player?.recording;
    if (played && !recordings.some(({ recording_id }) => recording_id === played.recording_id)) {
      this.shut();
      for (const listener of [...this.goneListeners]) listener(played);
    }
    this.plan(this.pause());
    this.tell();
  }

  /** When to look again as things are; null: nothing is to be seen by itself. */
  private pause(): number | null {
    return pauseOf(this.list) ?? (this.used ? SHOWN_MS : null);
  }

  /** Somebody looks at it, or hears something of it. */
  private get used(): boolean {
    return this.shown || this.player !== null;
  }

  /** Reads after so long, unless it is read sooner anyhow. */
  private plan(ms: number | null): void {
    if (ms === null || this.closed || this.now + ms >= this.dueAtMs) return;
    this.rest();
    this.dueAtMs = this.now + ms;
    this.cancel = this.ports.after(ms, () => {
      this.dueAtMs = Number.POSITIVE_INFINITY;
      void this.read().catch(() => {});
    });
  }

  private rest(): void {
    this.cancel();
    this.cancel = () => {};
    this.dueAtMs = Number.POSITIVE_INFINITY;
  }

  private get now(): number {
    return this.ports.player.nowMs();
  }

  private tell(): void {
    for (const listener of [...this.listeners]) listener();
  }
}

/** When to look again; null: nothing changes by itself. */
export function pauseOf(list: readonly Recording[]): number | null {
  if (list.some(({ status, mix }) => status === "finishing" || mix === "queued" || mix === "making"))
    return SOON_MS;
  return list.some(({ status }) => status === "recording") ? RECORDING_MS : null;
}

/** What a recording's files are by: another key, and there are others of them. */
export function filesKey({ status, mix }: Pick<Recording, "status" | "mix">): string {
  return `${status} ${mix === "ready"}`;
}
