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

export class Recordings {
  list: readonly Recording[] = [];
  /** Whether the list was ever read. */
  known = false;
  player: Player | null = null;
  private readonly listeners = new Set<() => void>();
  private waiting: () => void = () => {};
  private closed = false;
  /** Counts what was to be played: whatever comes last does. */
  private turn = 0;

  constructor(private readonly ports: RecordingsPorts) {}

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Reads the list; again by itself while anything of it is to change. Rejects where the first reading does. */
  async read(): Promise<void> {
    this.waiting();
    const { recordings } = await this.ports.api.recordings(this.ports.sessionId);
    if (this.closed) return;
    this.list = recordings;
    this.known = true;
    const ms = pauseOf(recordings);
    if (ms !== null) {
      this.waiting();
      this.waiting = this.ports.after(ms, () => void this.read().catch(() => this.later()));
    }
    this.tell();
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
    this.waiting();
    this.listeners.clear();
    this.shut();
  }

  private later(): void {
    if (!this.closed)
      this.waiting = this.ports.after(RECORDING_MS, () => void this.read().catch(() => this.later()));
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
