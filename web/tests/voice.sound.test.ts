import { beforeEach, describe, expect, it, vi } from "vitest";
import { AT_FIRST } from "../src/voice/settings";
import { WebSound } from "../src/voice/sound";
import type { Placement } from "../src/voice/types";
import type { Pose, Vec3 } from "../src/wire/generated";
import {
  FakeContext,
  FakeElement,
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

  get panner(): FakePanner {
    const used = this.context.made.filter((node): node is FakePanner => node instanceof FakePanner);
    return used.filter((node) => node.outputs.length > 0).at(-1) as FakePanner;
  }

  get bus(): FakeNode {
    const [first] = this.context.made;
    return first as FakeNode;
  }

  /** How loud the source is at its panner, so many seconds from now. */
  gain(seconds = 0): number {
    return this.source.gainTo(this.panner, this.context.currentTime + seconds);
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
    expect(stage.panner.panningModel).toBe("HRTF");
    expect(stage.panner.rolloffFactor).toBe(0);
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
    expect(stage.source.gainTo(stage.bus, stage.context.currentTime)).toBe(0);
  });

  it("falls with distance as the law says, and moves in the listener's frame", () => {
    stage.sound.place("slot0", at("per_a", [3, 1.6, 0]));
    stage.sound.listener({ position: [0, 1.6, 0], rotation: [0, 0, 0, 1] });
    stage.pass(100);
    expect(stage.gain()).toBeCloseTo(0.5, 6);
    stage.sound.listener({ position: [-3, 1.6, 0], rotation: [0, 0, 0, 1] });
    stage.pass(100);
    expect(stage.gain()).toBeCloseTo(0.25, 6);
    const { currentTime } = stage.context;
    expect(stage.panner.positionX.valueAt(currentTime)).toBeCloseTo(6, 6);
  });

  it("that is somebody else's closes, is there, and opens, within 16 ms and without a leap", () => {
    stage.sound.place("slot0", at("per_a", [-1.5, 0, 0]));
    stage.pass(500);
    stage.sound.place("slot0", at("per_b", [1.5, 0, 0]));
    const panner = stage.panner;
    const from = stage.context.currentTime;
    let before = stage.gain(0);
    let closedMs = 0;
    for (let s = 0.00025; s < 0.08; s += 0.00025) {
      const now = stage.gain(s);
      expect(Math.abs(now - before)).toBeLessThan(0.05);
      if (now < 0.999) closedMs += 0.25;
      const side = panner.positionX.valueAt(from + s);
      const stood = panner.positionX.valueAt(from + s - 0.00025);
      if (side !== stood) expect(now).toBeLessThan(0.05);
      before = now;
    }
    expect(closedMs).toBeLessThanOrEqual(16);
    expect(panner.positionX.valueAt(from + 0.08)).toBeCloseTo(1.5, 6);
    expect(before).toBeCloseTo(1, 6);
  });

  it("that is switched again and again, and moved meanwhile, never leaps while it is heard", () => {
    stage.sound.place("slot0", at("per_a", [-1.5, 0, 0]));
    stage.pass(500);
    const panner = stage.panner;
    for (let n = 0; n < 60; n++) {
      const side = n % 2 ? -1.5 : 1.5;
      stage.sound.place("slot0", at(`per_${n}`, [side, 0, 0]));
      stage.pass(n % 7);
      stage.sound.listener({ position: [0, 0, (n % 3) / 100], rotation: [0, 0, 0, 1] });
      for (let ms = 0; ms < 5; ms++) {
        const leap = Math.abs(
          panner.positionX.valueAt(stage.context.currentTime + 0.001) - panner.positionX.value,
        );
        if (leap > 1) expect(Math.min(stage.gain(0), stage.gain(0.001))).toBeLessThan(0.15);
        stage.pass(1);
      }
    }
    stage.pass(500);
    expect(panner.positionX.value).toBeCloseTo(-1.5, 3);
    expect(stage.gain()).toBeCloseTo(1, 2);
  });

  it("is from no direction on a stage, where everybody is heard equally, and in mono: without a panner to pay for", () => {
    stage.sound.place("slot0", at("per_a", [6, 0, 0]));
    stage.pass(500);
    stage.sound.settings({ ...AT_FIRST, equal: true });
    stage.pass(500);
    expect(stage.panner).toBeUndefined();
    const equally = stage.source.gainTo(stage.bus, stage.context.currentTime);
    expect(equally).toBeCloseTo(Math.SQRT1_2, 6);
    stage.sound.settings({ ...AT_FIRST, mode: "mono" });
    stage.pass(500);
    expect(stage.source.gainTo(stage.bus, stage.context.currentTime)).toBeCloseTo(0.25 * Math.SQRT1_2, 6);
    stage.sound.settings(AT_FIRST);
    stage.pass(500);
    expect(stage.gain()).toBeCloseTo(0.25, 6);
  });

  it("keeps a way that is wanted again before it was let go", () => {
    stage.sound.place("slot0", at("per_a", [6, 0, 0]));
    stage.pass(500);
    for (let n = 0; n < 5; n++) {
      stage.sound.settings({ ...AT_FIRST, mode: n % 2 ? "hrtf" : "stereo" });
      stage.pass(100);
    }
    stage.sound.settings(AT_FIRST);
    stage.pass(1000);
    expect(stage.panner.panningModel).toBe("HRTF");
    expect(stage.gain()).toBeCloseTo(0.25, 6);
  });

  it("is silent as soon as it has no placement", () => {
    stage.sound.place("slot0", at("per_a", [1, 0, 0]));
    stage.pass(100);
    stage.sound.place("slot0", null);
    stage.pass(100);
    expect(stage.source.gainTo(stage.bus, stage.context.currentTime)).toBe(0);
  });

  it("takes another track by fading over to it", () => {
    stage.sound.place("slot0", at("per_a", [0, 0, -1]));
    stage.pass(500);
    const old = stage.source;
    stage.track("slot0");
    expect(stage.source).not.toBe(old);
    stage.pass(100);
    expect(old.gainTo(stage.panner, stage.context.currentTime)).toBe(0);
    expect(stage.gain()).toBeCloseTo(1, 6);
    stage.pass(500);
    expect(old.outputs).toEqual([]);
    expect(stage.elements[0]?.srcObject).toBeNull();
  });

  it("schedules nothing into the past", () => {
    stage.sound.place("slot0", at("per_a", [1, 0, 0]));
    for (let n = 0; n < 200; n++) {
      stage.sound.listener({ position: [Math.sin(n / 10), 0, 0], rotation: [0, 0, 0, 1] });
      stage.pass(16);
    }
    const late = [stage.panner.positionX, stage.panner.positionY, stage.panner.positionZ].map(
      (axis) => axis.late,
    );
    expect(late).toEqual([0, 0, 0]);
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
