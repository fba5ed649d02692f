/**
 * Where all of it goes out: the master's volume, a limiter, and one of two ways to the loudspeakers.
 *
 *     bus (master) -> limiter -> makeup taken back -+-> direct -> the context's own output
 *                                                   `-> safe   -> loopback -> <audio>
 *
 * The direct way plays until the safe one is really there, and again when it is lost: whatever happens, one is heard.
 */

import { Meter } from "./levels";
import { type Loopback, type LoopbackPorts, openLoopback } from "./loopback";
import { Ramp } from "./ramp";
import type { Clock } from "./ways";

const THRESHOLD_DB = -6;
const RATIO = 20;
const FADE_S = 0.03;
const SETTLED_MS = 250;

/** What a DynamicsCompressorNode amplifies everything by, unasked: (1 / its gain at full scale) ^ 0.6 (Web Audio API, 1.19.4), knee 0. */
export function makeupOf(thresholdDb: number, ratio: number): number {
  const atFullScaleDb = thresholdDb - thresholdDb / ratio;
  return 10 ** ((-atFullScaleDb * 0.6) / 20);
}

export class Output {
  readonly bus: GainNode;
  private readonly master: Ramp;
  private readonly limiter: DynamicsCompressorNode;
  private readonly level: GainNode;
  private readonly splitter: ChannelSplitterNode;
  private readonly meters: readonly [Meter, Meter];
  private readonly directNode: GainNode;
  private readonly safeNode: GainNode;
  private readonly direct: Ramp;
  private readonly safe: Ramp;
  private readonly stream: MediaStreamAudioDestinationNode;
  private loopback: Loopback | null = null;
  private wantsSafe = false;
  private opening = false;
  private chosenId: string | null = null;
  private ids: readonly string[] | null = null;
  /** In use. */
  private deviceId: string | null = null;
  private closed = false;
  /** The chosen device is not there, or does not play. */
  fellBack = false;

  constructor(
    private readonly context: AudioContext,
    private readonly clock: Clock,
    private readonly ports: LoopbackPorts,
    /** `fellBack` is another now. */
    private readonly onFell: () => void,
  ) {
    this.bus = context.createGain();
    this.master = new Ramp(this.bus.gain, 1);
    this.limiter = limiterOf(context);
    this.level = context.createGain();
    this.level.gain.value = 1 / makeupOf(THRESHOLD_DB, RATIO);
    this.splitter = context.createChannelSplitter(2);
    this.meters = [new Meter(context), new Meter(context)];
    this.directNode = context.createGain();
    this.safeNode = context.createGain();
    this.direct = new Ramp(this.directNode.gain, 1);
    this.safe = new Ramp(this.safeNode.gain, 0);
    this.stream = context.createMediaStreamDestination();
    this.bus.connect(this.limiter).connect(this.level);
    this.level.connect(this.splitter);
    this.meters.forEach((meter, channel) => {
      this.splitter.connect(meter.node, channel);
    });
    this.level.connect(this.directNode).connect(context.destination);
    this.level.connect(this.safeNode).connect(this.stream);
  }

  volume(master: number): void {
    if (this.master.target !== master) this.master.to(master, this.clock.soon(), FADE_S);
  }

  levels(): readonly [number, number] {
    return [this.meters[0].level(), this.meters[1].level()];
  }

  /** Whether an echo canceller is to hear it. */
  cancelled(wanted: boolean): void {
    if (this.wantsSafe === wanted) return;
    this.wantsSafe = wanted;
    if (wanted) void this.openSafe();
    else this.closeSafe();
  }

  /** Plays on that device; on the system's where it is not there (any more). */
  async playOn(deviceId: string | null): Promise<void> {
    this.chosenId = deviceId;
    await this.route();
  }

  /** What there is to play on now: the chosen device may have gone, or be back. */
  available(ids: readonly string[]): void {
    // Before the person allowed any device, browsers tell of none.
    if (ids.length === 0) return;
    this.ids = ids;
    void this.route();
  }

  close(): void {
    this.closed = true;
    this.loopback?.close();
    this.loopback = null;
    for (const track of this.stream.stream.getTracks()) track.stop();
    const nodes = [this.bus, this.limiter, this.level, this.splitter, this.directNode, this.safeNode];
    for (const node of [...nodes, ...this.meters.map((meter) => meter.node)]) node.disconnect();
  }

  private async route(): Promise<void> {
    const gone = this.chosenId !== null && this.ids !== null && !this.ids.includes(this.chosenId);
    const deviceId = gone ? null : this.chosenId;
    if (this.closed) return;
    if (this.deviceId === deviceId) {
      if (deviceId === null) this.fell(gone);
      return;
    }
    this.deviceId = deviceId;
    const players = [this.context, ...(this.loopback ? [this.loopback.element] : [])];
    const plays = await Promise.all(players.map((player) => sink(player, deviceId)));
    if (this.deviceId === deviceId) this.fell(gone || (deviceId !== null && plays.includes(false)));
  }

  private fell(back: boolean): void {
    if (this.fellBack === back || this.closed) return;
    this.fellBack = back;
    this.onFell();
  }

  private async openSafe(): Promise<void> {
    if (this.opening || this.loopback) return;
    this.opening = true;
    try {
      const opened = await openLoopback(this.ports, this.stream.stream, () => this.lostSafe());
      if (this.closed || !this.wantsSafe) {
        opened.close();
        return;
      }
      this.loopback = opened;
      await sink(opened.element, this.deviceId);
      this.choose("safe");
    } catch {
      // The page cannot reach itself, or may not play: it is heard directly, with an echo at worst.
    } finally {
      this.opening = false;
    }
  }

  private lostSafe(): void {
    this.choose("direct");
    this.loopback?.close();
    this.loopback = null;
    if (this.wantsSafe && !this.closed) void this.openSafe();
  }

  private closeSafe(): void {
    this.choose("direct");
    const { loopback } = this;
    this.loopback = null;
    if (loopback) this.clock.after(SETTLED_MS, () => loopback.close());
  }

  private choose(way: "direct" | "safe"): void {
    const soon = this.clock.soon();
    this.direct.to(way === "direct" ? 1 : 0, soon, FADE_S);
    this.safe.to(way === "safe" ? 1 : 0, soon, FADE_S);
  }
}

function limiterOf(context: AudioContext): DynamicsCompressorNode {
  const limiter = context.createDynamicsCompressor();
  limiter.threshold.value = THRESHOLD_DB;
  limiter.knee.value = 0;
  limiter.ratio.value = RATIO;
  limiter.attack.value = 0.002;
  limiter.release.value = 0.1;
  return limiter;
}

/** AudioContext.setSinkId is in no type library yet, and in no Firefox; "" is the system's device. False: it plays on that one instead. */
async function sink(player: AudioContext | HTMLAudioElement, deviceId: string | null): Promise<boolean> {
  const { setSinkId } = player as { setSinkId?: (id: string) => Promise<void> };
  if (!setSinkId) return true;
  try {
    await setSinkId.call(player, deviceId ?? "");
    return true;
  } catch {
    await setSinkId.call(player, "").catch(() => {});
    return false;
  }
}
