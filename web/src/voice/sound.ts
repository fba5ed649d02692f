/**
 * What a person hears: every source through a graph of its own (graph.ts) to one way out (output.ts). See docs/voice.md, "Sound".
 *
 * Nothing exists before the first `start`: what was told before is kept and made then. A remote track gives samples to Web Audio only
 * while a media element plays it, too (Chromium issue 121673): each has a muted <audio> beside it.
 */

import { Listeners } from "../sync/listeners";
import type { Pose } from "../wire/generated";
import { type Aim, aimOf } from "./distance";
import { SourceGraph } from "./graph";
import type { LoopbackPorts } from "./loopback";
import { Output } from "./output";
import { AT_FIRST } from "./settings";
import type { Placement, SoundSettings, SourceId, Sound as Speakers } from "./types";
import { type Clock, clockOf } from "./ways";

export interface SoundPorts extends LoopbackPorts {
  context(): AudioContext;
  stream(track: MediaStreamTrack): MediaStream;
  /** Calls with the ids of all devices that can play, now and whenever they are others. Returns how to stop. */
  outputs(call: (ids: readonly string[]) => void): () => void;
}

/** All that is known of a source, whether it sounds yet or not. */
interface Source {
  plays: MediaStreamTrack | AudioNode | null;
  placement: Placement | null;
  graph: SourceGraph | null;
}

/** What there is once it has begun. */
interface Stage {
  context: AudioContext;
  output: Output;
  clock: Clock;
  unwatch: () => void;
}

/** A context that may run says so within this; one that waits for a gesture says nothing. */
const RESUME_MS = 400;
const SILENCE = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY] as const;

export class WebSound implements Speakers {
  private readonly sources = new Map<SourceId, Source>();
  private readonly listeners = new Listeners<void>();
  private stage: Stage | null = null;
  private told: Speakers["state"] = "off";
  private pose: Pose = { position: [0, 0, 0], rotation: [0, 0, 0, 1] };
  private set: SoundSettings = AT_FIRST;
  private cancelled = false;

  constructor(private readonly ports: SoundPorts) {}

  get state(): Speakers["state"] {
    return this.told;
  }

  get fellBack(): boolean {
    return this.stage?.output.fellBack ?? false;
  }

  context(): AudioContext | null {
    return this.stage?.context ?? null;
  }

  async start(): Promise<void> {
    this.stage ??= this.build();
    const { context } = this.stage;
    if (context.state !== "running") {
      const waited = new Promise<void>((resolve) => this.ports.after(RESUME_MS, resolve));
      await Promise.race([context.resume().catch(() => {}), waited]);
    }
    if (this.stage?.context === context) this.tell();
  }

  async stop(): Promise<void> {
    const { stage } = this;
    this.stage = null;
    for (const source of this.sources.values()) {
      source.graph?.end(true);
      source.graph = null;
    }
    stage?.unwatch();
    stage?.output.close();
    if (stage) stage.context.onstatechange = null;
    await stage?.context.close().catch(() => {});
    this.tell();
  }

  track(id: SourceId, track: MediaStreamTrack | null): void {
    this.play(id, track);
  }

  feed(id: SourceId, node: AudioNode | null): void {
    this.play(id, node);
  }

  place(id: SourceId, placement: Placement | null): void {
    const source = this.source(id);
    const before = source.placement?.who ?? null;
    source.placement = placement;
    const switched = placement !== null && placement.who !== before;
    if (switched) source.graph?.switchTo(this.aim(source));
    else source.graph?.aim(this.aim(source));
    this.forget(id, source);
  }

  listener(pose: Pose): void {
    if (![...pose.position, ...pose.rotation].every(Number.isFinite)) return;
    this.pose = pose;
    this.aimAll();
  }

  settings(settings: SoundSettings): void {
    this.set = { ...settings };
    this.stage?.output.volume(settings.master);
    void this.stage?.output.playOn(settings.outputId);
    this.stage?.output.cancelled(this.echoes);
    this.aimAll();
  }

  /** Whether a microphone with an echo canceller is open, which is to hear what is played. */
  cancelEcho(wanted: boolean): void {
    this.cancelled = wanted;
    this.stage?.output.cancelled(this.echoes);
  }

  level(id: SourceId): number {
    return this.sources.get(id)?.graph?.loudness() ?? Number.NEGATIVE_INFINITY;
  }

  output(): readonly [number, number] {
    return this.stage?.output.levels() ?? SILENCE;
  }

  onChange(listener: () => void): () => void {
    return this.listeners.add(listener);
  }

  private get echoes(): boolean {
    return this.cancelled && !this.set.headphones;
  }

  private build(): Stage {
    const context = this.ports.context();
    const clock = clockOf(context, this.ports);
    const output = new Output(context, clock, this.ports, () => this.listeners.tell());
    const unwatch = this.ports.outputs((ids) => output.available(ids));
    const stage = { context, output, clock, unwatch };
    output.volume(this.set.master);
    void output.playOn(this.set.outputId);
    output.cancelled(this.echoes);
    // The first such panner of a context has it fetch the impulse responses, and is silent until they are there.
    if (this.set.mode === "hrtf") context.createPanner().panningModel = "HRTF";
    context.onstatechange = () => this.tell();
    for (const source of this.sources.values()) this.sound(source, stage);
    return stage;
  }

  private play(id: SourceId, plays: MediaStreamTrack | AudioNode | null): void {
    const source = this.source(id);
    if (source.plays === plays) return;
    source.plays = plays;
    if (!plays) {
      source.graph?.end();
      source.graph = null;
    } else if (this.stage) this.sound(source, this.stage);
    this.forget(id, source);
  }

  private sound(source: Source, stage: Stage): void {
    const { plays } = source;
    if (!plays) return;
    source.graph ??= new SourceGraph(stage.context, stage.output.bus, stage.clock);
    source.graph.aim(this.aim(source));
    if (isNode(plays)) source.graph.plug(plays);
    else this.plugTrack(source.graph, plays, stage.context);
  }

  private plugTrack(graph: SourceGraph, track: MediaStreamTrack, context: AudioContext): void {
    const stream = this.ports.stream(track);
    const element = this.ports.element();
    element.muted = true;
    element.srcObject = stream;
    void element.play().catch(() => {});
    const node = context.createMediaStreamSource(stream);
    graph.plug(node, () => {
      node.disconnect();
      element.pause();
      element.srcObject = null;
    });
  }

  private source(id: SourceId): Source {
    const known = this.sources.get(id);
    if (known) return known;
    const made = { plays: null, placement: null, graph: null };
    this.sources.set(id, made);
    return made;
  }

  private forget(id: SourceId, source: Source): void {
    if (!source.plays && !source.placement) this.sources.delete(id);
  }

  private aim(source: Source): Aim {
    return aimOf(source.placement, this.pose, this.set);
  }

  private aimAll(): void {
    for (const source of this.sources.values()) source.graph?.aim(this.aim(source));
  }

  private tell(): void {
    const context = this.stage?.context;
    const now = !context ? "off" : context.state === "running" ? "running" : "blocked";
    if (now === this.told) return;
    this.told = now;
    this.listeners.tell();
  }
}

function isNode(plays: MediaStreamTrack | AudioNode): plays is AudioNode {
  return "connect" in plays;
}
