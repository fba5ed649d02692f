import { beforeEach, describe, expect, it, vi } from "vitest";
import { AT_FIRST } from "../src/voice/settings";
import { WebSound } from "../src/voice/sound";
import type { Placement } from "../src/voice/types";
import type { Pose, Vec3 } from "../src/wire/generated";
import {
  FakeContext,
  FakeElement,
  FakeGain,
  type FakeNode,
  FakePanner,
  FakeStream,
  FakeTimers,
  FakeTrack,
} from "./fakeaudio";

const LAW = { model: "inverse", reference_m: 1.5, rolloff: 1, max_m: 40 } as const;
const ORIGIN: Pose = { position: [0, 0, 0], rotation: [0, 0, 0, 1] };

function at(who: string | null, position: Vec3 | null, more: Partial<Placement> = {}): Placement {
  return { who, position, distance: LAW, kind: "spatial", gain: 1, ...more };
}

class Stage {
  readonly timers = new FakeTimers();
  readonly contexts: FakeContext[] = [];
  readonly elements: FakeElement[] = [];
  mayRun = true;
  outputs: ((ids: readonly string[]) => void) | null = null;
  readonly sound = new WebSound({
    context: () => {
      const made = new FakeContext(this.mayRun);
      this.contexts.push(made);
      return made as unknown as AudioContext;
    },
    stream: (track) => new FakeStream([track as unknown as FakeTrack]) as unknown as MediaStream,
    element: () => {
      const made = new FakeElement();
      this.elements.push(made);
      return made as unknown as HTMLAudioElement;
    },
    connection: () => {
      throw new Error("no WebRTC here");
    },
    outputs: (call) => {
      this.outputs = call;
      return () => {
        this.outputs = null;
      };
    },
    after: this.timers.after,
  });

  get context(): FakeContext {
    const context = this.contexts.at(-1);
    if (!context) throw new Error("not started");
    return context;
  }

  pass(ms: number): void {
    this.context.currentTime += ms / 1000;
    this.timers.pass(ms);
  }

  get source(): FakeNode {
    return this.context.made.filter((node) => node.kind === "source").at(-1) as FakeNode;
  }

  /** Every panner through which the source is heard then, with how loud, and from where. */
  heard(at = this.context.currentTime): { panner: FakePanner; gain: number; x: number }[] {
    return this.context.made
      .filter((node): node is FakePanner => node instanceof FakePanner)
      .map((panner) => {
        const mix = panner.outputs[0];
        const after = mix instanceof FakeGain ? mix.gain.valueAt(at) : Number(mix === this.bus);
        return { panner, gain: this.source.gainTo(panner, at) * after, x: panner.positionX.valueAt(at) };
      })
      .filter(({ gain }) => gain > 1e-9);
  }

  get bus(): FakeNode {
    const [first] = this.context.made;
    return first as FakeNode;
  }

  /** How loud the source is at the bus, so many seconds from now. */
  gain(seconds = 0): number {
    return this.source.gainTo(this.bus, this.context.currentTime + seconds);
  }

  track(id: string): FakeTrack {
    const track = new FakeTrack();
    this.sound.track(id, track as unknown as MediaStreamTrack);
    return track;
  }
}

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});

describe("Sound", () => {
  it("is off, runs after a gesture, and is off again", async () => {
    const told = vi.fn();
    stage.sound.onChange(told);
    expect([stage.sound.state, stage.sound.context()]).toEqual(["off", null]);
    await stage.sound.start();
    expect(stage.sound.state).toBe("running");
    await stage.sound.stop();
    expect([stage.sound.state, stage.sound.context()]).toEqual(["off", null]);
    expect(told).toHaveBeenCalledTimes(2);
  });

  it("says that it is blocked, and runs by the gesture that comes", async () => {
    stage.mayRun = false;
    const started = stage.sound.start();
    stage.timers.pass(1000);
    await started;
    expect(stage.sound.state).toBe("blocked");
    stage.context.become("running");
    expect(stage.sound.state).toBe("running");
    stage.context.become("suspended");
    expect(stage.sound.state).toBe("blocked");
  });

  it("makes one context, however often it is started", async () => {
    await Promise.all([stage.sound.start(), stage.sound.start()]);
    await stage.sound.start();
    expect(stage.contexts).toHaveLength(1);
  });

  it("plays what it was told of before it began", async () => {
    stage.track("slot0");
    stage.sound.place("slot0", at("per_a", [6, 0, 0]));
    stage.sound.listener(ORIGIN);
    await stage.sound.start();
    stage.pass(100);
    expect(stage.gain()).toBeCloseTo(0.25, 6);
    const [{ panner } = { panner: null }] = stage.heard();
    expect([panner?.panningModel, panner?.rolloffFactor]).toEqual(["HRTF", 0]);
  });

  it("has a muted element play each track beside it", async () => {
    await stage.sound.start();
    stage.track("peer:per_a");
    const [element] = stage.elements;
    expect([element?.muted, element?.playing, element?.srcObject !== null]).toEqual([true, true, true]);
  });
});

describe("A source", () => {
  beforeEach(async () => {
    await stage.sound.start();
    stage.track("slot0");
    stage.pass(100);
  });

  it("is silent until it is placed", () => {
    const gains = stage.context.made.filter((node) => node.kind === "gain");
    expect(gains.length).toBeGreaterThan(0);
    expect(stage.gain()).toBe(0);
  });

  it("falls with distance as the law says, and moves in the listener's frame", () => {
    stage.sound.place("slot0", at("per_a", [3, 1.6, 0]));
    stage.sound.listener({ position: [0, 1.6, 0], rotation: [0, 0, 0, 1] });
    stage.pass(100);
    expect(stage.gain()).toBeCloseTo(0.5, 6);
    stage.sound.listener({ position: [-3, 1.6, 0], rotation: [0, 0, 0, 1] });
    stage.pass(100);
    expect(stage.gain()).toBeCloseTo(0.25, 6);
    stage.sound.listener({ position: [9, 1.6, 0], rotation: [0, 0, 0, 1] });
    stage.pass(500);
    expect(stage.heard().map(({ x }) => x)).toEqual([-6]);
  });

  it("that turns is faded over to another panner, which nobody hears turning, and pays for two only meanwhile", () => {
    stage.sound.place("slot0", at("per_a", [1.5, 0, 0]));
    stage.pass(500);
    const stood = new Map<FakePanner, number>();
    for (let n = 0; n < 120; n++) {
      const angle = n / 20;
      stage.sound.listener({
        position: [1.5 - 1.5 * Math.cos(angle), 0, 1.5 * Math.sin(angle)],
        rotation: [0, 0, 0, 1],
      });
      for (let ms = 0; ms < 16; ms++) {
        stage.pass(1);
        for (const { panner, x } of stage.heard()) {
          expect(stood.get(panner) ?? x).toBe(x);
          stood.set(panner, x);
        }
        for (const panner of stood.keys())
          if (!stage.heard().some((one) => one.panner === panner)) stood.delete(panner);
        expect(stage.gain()).toBeCloseTo(1, 6);
      }
    }
    for (let ms = 0; ms < 500; ms += 10) stage.pass(10);
    expect(stage.heard()).toHaveLength(1);
    const fed = stage.context.made.filter((node) => node.outputs.some((next) => next instanceof FakePanner));
    expect(fed.flatMap((node) => node.outputs)).toHaveLength(1);
    const x = 1.5 * Math.cos(119 / 20);
    expect(stage.heard()[0]?.x).toBeCloseTo(x, 1);
  });

  it("that is somebody else's closes, is there, and opens, within 16 ms and without a leap", () => {
    stage.sound.place("slot0", at("per_a", [-1.5, 0, 0]));
    stage.pass(500);
    stage.sound.place("slot0", at("per_b", [1.5, 0, 0]));
    const from = stage.context.currentTime;
    let before = stage.gain(0);
    let closedMs = 0;
    for (let s = 0.00025; s < 0.08; s += 0.00025) {
      const now = stage.gain(s);
      expect(Math.abs(now - before)).toBeLessThan(0.05);
      if (now < 0.999) closedMs += 0.25;
      expect(stage.heard(from + s).length).toBeLessThanOrEqual(1);
      before = now;
    }
    expect(closedMs).toBeLessThanOrEqual(16);
    expect(stage.heard(from + 0.08).map(({ x }) => x)).toEqual([1.5]);
    expect(before).toBeCloseTo(1, 6);
  });

  it("that is switched again and again, and moved meanwhile, never leaps while it is heard", () => {
    stage.sound.place("slot0", at("per_a", [-1.5, 0, 0]));
    stage.pass(500);
    let before = stage.gain();
    for (let n = 0; n < 60; n++) {
      const x = n % 2 ? -1.5 : 1.5;
      stage.sound.place("slot0", at(`per_${n}`, [x, 0, 0]));
      stage.pass(0);
      stage.sound.listener({ position: [0, 0, (n % 3) / 100], rotation: [0, 0, 0, 1] });
      for (let ms = 0; ms < 5 + (n % 7); ms++) {
        stage.pass(1);
        expect(Math.abs(stage.gain() - before)).toBeLessThan(0.2);
        before = stage.gain();
      }
    }
    stage.pass(1000);
    expect(stage.heard().map(({ x }) => x)).toEqual([-1.5]);
    expect(stage.gain()).toBeCloseTo(1, 2);
  });

  it("is from no direction on a stage, where everybody is heard equally, and in mono: without a panner to pay for", () => {
    stage.sound.place("slot0", at("per_a", [6, 0, 0]));
    stage.pass(500);
    stage.sound.settings({ ...AT_FIRST, equal: true });
    stage.pass(500);
    expect(
      stage.context.made.filter((node) => node instanceof FakePanner && node.outputs.length > 0),
    ).toEqual([]);
    expect(stage.gain()).toBeCloseTo(Math.SQRT1_2, 6);
    stage.sound.settings({ ...AT_FIRST, mode: "mono" });
    stage.pass(500);
    expect(stage.gain()).toBeCloseTo(0.25 * Math.SQRT1_2, 6);
    stage.sound.settings(AT_FIRST);
    stage.pass(500);
    expect(stage.gain()).toBeCloseTo(0.25, 6);
  });

  it("comes to rest in the last of modes that are changed in haste", () => {
    stage.sound.place("slot0", at("per_a", [6, 0, 0]));
    stage.pass(500);
    for (let n = 0; n < 5; n++) {
      stage.sound.settings({ ...AT_FIRST, mode: n % 2 ? "hrtf" : "stereo" });
      stage.pass(100);
    }
    stage.sound.settings(AT_FIRST);
    stage.pass(1000);
    expect(stage.heard().map(({ panner }) => panner.panningModel)).toEqual(["HRTF"]);
    expect(stage.gain()).toBeCloseTo(0.25, 6);
  });

  it("is silent as soon as it has no placement", () => {
    stage.sound.place("slot0", at("per_a", [1, 0, 0]));
    stage.pass(100);
    stage.sound.place("slot0", null);
    stage.pass(100);
    expect(stage.gain()).toBe(0);
  });

  it("takes another track by fading over to it", () => {
    stage.sound.place("slot0", at("per_a", [0, 0, -1]));
    stage.pass(500);
    const old = stage.source;
    stage.track("slot0");
    expect(stage.source).not.toBe(old);
    stage.pass(100);
    expect(old.gainTo(stage.bus, stage.context.currentTime)).toBe(0);
    expect(stage.gain()).toBeCloseTo(1, 6);
    stage.pass(500);
    expect(old.outputs).toEqual([]);
    expect(stage.elements[0]?.srcObject).toBeNull();
  });

  it("schedules nothing into the past", () => {
    stage.sound.place("slot0", at("per_a", [1, 0, 0]));
    stage.sound.settings({ ...AT_FIRST, mode: "stereo" });
    for (let n = 0; n < 200; n++) {
      stage.sound.listener({ position: [Math.sin(n / 10), 0, 0], rotation: [0, 0, 0, 1] });
      stage.pass(16);
    }
    const [{ panner } = { panner: null }] = stage.heard();
    expect([panner?.positionX.late, panner?.positionZ.late]).toEqual([0, 0]);
  });
});

it("A hundred sources that come and go leave nothing behind", async () => {
  await stage.sound.start();
  stage.pass(500);
  const before = stage.context.connected.size;
  for (let n = 0; n < 100; n++) {
    const id = `peer:per_${n}`;
    stage.track(id);
    stage.sound.place(id, at(id, [n % 5, 0, -1], n % 3 ? {} : { kind: "stage" }));
    stage.pass(20);
    stage.sound.listener({ position: [0, 0, n / 50], rotation: [0, 0, 0, 1] });
    stage.pass(20);
    stage.sound.track(id, null);
    stage.sound.place(id, null);
  }
  stage.pass(1000);
  expect(stage.context.connected.size).toBe(before);
  expect(stage.elements.filter((element) => element.srcObject || element.playing)).toEqual([]);
  await stage.sound.stop();
  expect(stage.context.connected.size).toBe(0);
});

it("Starting and stopping a hundred times leaves nothing connected", async () => {
  stage.track("slot0");
  stage.sound.place("slot0", at("per_a", [1, 0, 0]));
  for (let n = 0; n < 100; n++) {
    await stage.sound.start();
    stage.pass(n);
    await stage.sound.stop();
  }
  expect(stage.contexts.map((context) => context.connected.size)).toEqual(Array(100).fill(0));
  expect(stage.elements.filter((element) => element.srcObject)).toEqual([]);
});

describe("Where it is played", () => {
  it("is the device that was chosen, or the system's where it is gone", async () => {
    await stage.sound.start();
    stage.sound.settings({ ...AT_FIRST, outputId: "headset" });
    stage.sound.settings({ ...AT_FIRST, outputId: "gone" });
    await Promise.resolve();
    await Promise.resolve();
    expect(stage.context.sinks).toEqual(["headset", ""]);
  });

  it("is the system's while the chosen one is unplugged, and the chosen one again", async () => {
    await stage.sound.start();
    stage.sound.settings({ ...AT_FIRST, outputId: "headset" });
    stage.outputs?.([]);
    stage.outputs?.(["speakers", "headset"]);
    stage.outputs?.(["speakers"]);
    stage.outputs?.(["speakers", "headset"]);
    expect(stage.context.sinks).toEqual(["headset", "", "headset"]);
    await stage.sound.stop();
    expect(stage.outputs).toBeNull();
  });

  it("is told, where the chosen one goes or comes, and no more once nothing plays", async () => {
    const told: [string, boolean][] = [];
    stage.sound.onChange(() => told.push([stage.sound.state, stage.sound.fellBack]));
    stage.sound.settings({ ...AT_FIRST, outputId: "headset" });
    await stage.sound.start();
    stage.outputs?.(["speakers"]);
    await Promise.resolve();
    await Promise.resolve();
    await Promise.resolve();
    expect(told.at(-1)).toEqual(["running", true]);
    await stage.sound.stop();
    expect(told.at(-1)).toEqual(["off", false]);
  });

  it("stays the direct way where the page cannot reach itself", async () => {
    await stage.sound.start();
    stage.sound.cancelEcho(true);
    await Promise.resolve();
    stage.pass(100);
    expect(stage.bus.gainTo(stage.context.destination, stage.context.currentTime)).toBeGreaterThan(0);
  });
});

describe("Meters", () => {
  it("tell what comes in, and nothing of what is not there", async () => {
    expect(stage.sound.level("slot0")).toBe(Number.NEGATIVE_INFINITY);
    expect(stage.sound.output()).toEqual([Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]);
    await stage.sound.start();
    stage.track("slot0");
    expect(stage.sound.level("slot0")).toBe(Number.NEGATIVE_INFINITY);
    for (const node of stage.context.made) if ("amplitude" in node) node.amplitude = 0.1;
    expect(stage.sound.level("slot0")).toBeCloseTo(-20, 6);
    expect(stage.sound.output()[0]).toBeCloseTo(-20, 6);
  });
});
