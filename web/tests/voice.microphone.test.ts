import { beforeEach, describe, expect, it, vi } from "vitest";
import { AT_FIRST } from "../src/voice/settings";
import type { MicrophoneSettings } from "../src/voice/types";
import { Desk } from "./fakemicrophone";

let desk: Desk;

beforeEach(() => {
  desk = new Desk();
});

function settings(more: Partial<MicrophoneSettings> = {}): MicrophoneSettings {
  const { deviceId, processing, talking } = AT_FIRST;
  return { deviceId, processing, talking, ...more };
}

async function open(more?: Partial<MicrophoneSettings>): Promise<void> {
  desk.microphone.settings(settings(more));
  await desk.microphone.open();
}

describe("A microphone", () => {
  it("asks, is live with one track, and lets everything go when it is closed", async () => {
    const states: string[] = [];
    desk.microphone.onChange(() => states.push(desk.microphone.state));
    await open();
    expect(desk.microphone.track).not.toBeNull();
    expect(desk.microphone.device).toBe("Built in");
    desk.microphone.close();
    await desk.settle();
    expect([...new Set(states)]).toEqual(["asking", "live", "off"]);
    expect([desk.microphone.track, desk.media.live.length, desk.context.connected.size]).toEqual([
      null,
      0,
      0,
    ]);
    expect(desk.context.state).toBe("closed");
  });

  it("leaves nothing behind, a hundred times", async () => {
    for (let n = 0; n < 100; n++) {
      await open({ processing: { ...AT_FIRST.processing, noise: n % 2 ? "rnnoise" : "browser" } });
      desk.microphone.close();
      await desk.settle();
    }
    expect(desk.media.live).toEqual([]);
    expect(desk.contexts.filter(({ state, connected }) => state !== "closed" || connected.size > 0)).toEqual(
      [],
    );
    expect(desk.denoisers.filter(({ freed }) => !freed)).toEqual([]);
    expect(desk.media.listeners).toBe(0);
  });

  it("that is closed while the browser asks takes nothing of the answer", async () => {
    desk.media.slow = true;
    const opening = desk.microphone.open();
    await Promise.resolve();
    await Promise.resolve();
    desk.microphone.close();
    desk.media.answer?.();
    await opening;
    await desk.settle();
    expect([desk.microphone.state, desk.media.live.length, desk.contexts.length]).toEqual(["off", 0, 0]);
  });

  it("opens again though a prompt was never answered", async () => {
    desk.media.slow = true;
    void desk.microphone.open();
    await Promise.resolve();
    desk.microphone.close();
    desk.media.slow = false;
    await desk.microphone.open();
    expect(desk.microphone.state).toBe("live");
  });

  it("takes the device that was chosen while the browser asked", async () => {
    desk.media.slow = true;
    const opening = desk.microphone.open();
    await Promise.resolve();
    await Promise.resolve();
    desk.microphone.settings(settings({ deviceId: "b" }));
    desk.media.slow = false;
    desk.media.answer?.();
    await opening;
    await desk.settle();
    expect(desk.microphone.device).toBe("Headset");
    expect(desk.media.live).toHaveLength(1);
  });

  it("that the system put to sleep is woken by what the person does", async () => {
    await open();
    desk.context.mayRun = false;
    desk.context.become("suspended");
    desk.context.mayRun = true;
    desk.microphone.mute(false);
    expect(desk.context.state).toBe("running");
  });

  it("asks for what the settings say", async () => {
    await open({ processing: { echo: false, noise: "rnnoise", gain: true } });
    expect(desk.media.asked).toEqual([
      { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: true },
    ]);
    expect(desk.denoisers).toHaveLength(1);
  });

  it("is asked for once, however often it is opened", async () => {
    await Promise.all([desk.microphone.open(), desk.microphone.open()]);
    await desk.microphone.open();
    expect(desk.media.live).toHaveLength(1);
  });
});

describe("Without a microphone", () => {
  it("one is told why: a page that is not secure", async () => {
    desk = new Desk(false);
    await desk.microphone.open();
    expect([desk.microphone.state, desk.microphone.track]).toEqual(["insecure", null]);
    expect(await desk.microphone.inputs()).toEqual([]);
  });

  it("one is told why: it was not allowed", async () => {
    desk.media.allowed = false;
    await open();
    expect(desk.microphone.state).toBe("denied");
    desk.media.allowed = true;
    await desk.microphone.open();
    expect(desk.microphone.state).toBe("live");
  });

  it("one is told why: there is none", async () => {
    desk.media.devices = [];
    await open();
    expect(desk.microphone.state).toBe("none");
  });

  it("one is told why: another program has it", async () => {
    desk.media.busy.add("a");
    await open();
    expect(desk.microphone.state).toBe("busy");
  });

  it("there is nothing to be tested or measured", async () => {
    expect(await desk.microphone.test(1000)).toBeNull();
    expect(desk.microphone.level()).toBe(Number.NEGATIVE_INFINITY);
  });
});

describe("Devices", () => {
  it("are listed without the browser's own names for the system's", async () => {
    desk.media.devices.push(
      { deviceId: "default", kind: "audioinput", label: "Default" },
      { deviceId: "communications", kind: "audiooutput", label: "Communications" },
      { deviceId: "s", kind: "audiooutput", label: "Speakers" },
      { deviceId: "c", kind: "videoinput", label: "Camera" },
    );
    expect(await desk.microphone.inputs()).toEqual([
      { id: "a", label: "Built in" },
      { id: "b", label: "Headset" },
    ]);
    expect(await desk.microphone.outputs()).toEqual([{ id: "s", label: "Speakers" }]);
  });

  it("are changed behind the same track", async () => {
    await open();
    const { track } = desk.microphone;
    desk.microphone.settings(settings({ deviceId: "b" }));
    await desk.settle();
    expect(desk.microphone.device).toBe("Headset");
    expect(desk.microphone.track).toBe(track);
    expect(desk.media.live.map(({ label }) => label)).toEqual(["Headset"]);
  });

  it("stay as they were where the chosen one cannot be opened", async () => {
    await open();
    desk.media.busy.add("b");
    desk.microphone.settings(settings({ deviceId: "b" }));
    await desk.settle();
    expect(desk.microphone.notice).toEqual({ kind: "kept", label: "Built in" });
    expect(desk.media.live.map(({ label }) => label)).toEqual(["Built in"]);
  });

  it("that vanish are replaced by the system's, behind the same track, and it is said", async () => {
    await open({ deviceId: "b" });
    const { track } = desk.microphone;
    desk.media.unplug("b");
    await desk.settle();
    expect([desk.microphone.state, desk.microphone.device]).toEqual(["live", "Built in"]);
    expect(desk.microphone.track).toBe(track);
    expect(desk.microphone.notice).toEqual({ kind: "fell_back", label: "Headset" });
  });

  it("that come back are offered, and used when the person says so", async () => {
    await open({ deviceId: "b" });
    desk.media.unplug("b");
    await desk.settle();
    desk.microphone.dismiss();
    desk.media.plug("b", "Headset");
    await desk.settle();
    expect(desk.microphone.notice).toEqual({ kind: "returned", device: { id: "b", label: "Headset" } });
    expect(desk.microphone.device).toBe("Built in");
    await desk.microphone.open();
    expect([desk.microphone.device, desk.microphone.notice]).toEqual(["Headset", null]);
  });

  it("that come back and go again are not offered any more", async () => {
    await open({ deviceId: "b" });
    desk.media.unplug("b");
    await desk.settle();
    desk.media.plug("b", "Headset");
    await desk.settle();
    desk.media.unplug("b");
    await desk.settle();
    expect(desk.microphone.notice).toBeNull();
  });

  it("that vanish with no other left end the voice, and nothing else", async () => {
    desk.media.devices = desk.media.devices.slice(0, 1);
    await open();
    desk.media.unplug("a");
    await desk.settle();
    expect([desk.microphone.state, desk.microphone.track]).toEqual(["ended", null]);
    desk.media.plug("a", "Built in");
    await desk.microphone.open();
    expect(desk.microphone.state).toBe("live");
  });

  it("that the person forbids while they are in use end it as denied", async () => {
    await open();
    desk.media.allowed = false;
    desk.media.unplug("a");
    await desk.settle();
    expect(desk.microphone.state).toBe("denied");
  });

  it("that were remembered and are gone are replaced from the beginning", async () => {
    await open({ deviceId: "gone" });
    expect([desk.microphone.state, desk.microphone.device]).toEqual(["live", "Built in"]);
    expect(desk.microphone.notice).toEqual({ kind: "fell_back", label: "" });
  });
});

describe("Processing", () => {
  it("by RNNoise comes and goes behind the same track", async () => {
    await open();
    const { track } = desk.microphone;
    desk.microphone.settings(settings({ processing: { ...AT_FIRST.processing, noise: "rnnoise" } }));
    await desk.settle();
    expect(desk.denoisers).toHaveLength(1);
    desk.microphone.settings(settings());
    await desk.settle();
    expect(desk.denoisers[0]?.freed).toBe(true);
    expect(desk.microphone.track).toBe(track);
    expect(desk.media.live).toHaveLength(1);
  });

  it("that cannot be loaded leaves the voice as it is, and it is said", async () => {
    desk.rnnoise = false;
    await open({ processing: { ...AT_FIRST.processing, noise: "rnnoise" } });
    expect([desk.microphone.state, desk.microphone.notice]).toEqual(["live", { kind: "plain" }]);
  });

  it("has what is played led by where a canceller hears it", async () => {
    expect(desk.microphone.cancelsEcho).toBe(false);
    await open();
    expect(desk.microphone.cancelsEcho).toBe(true);
    const told = vi.fn();
    desk.microphone.onChange(told);
    desk.microphone.settings(settings({ processing: { ...AT_FIRST.processing, echo: false } }));
    await desk.settle();
    expect(desk.microphone.cancelsEcho).toBe(false);
    expect(told).toHaveBeenCalled();
  });
});

describe("The gate", () => {
  it("of an open microphone is open, and closed by muting, while the meter goes on", async () => {
    await open();
    expect(desk.gate).toBe(1);
    desk.microphone.mute(true);
    desk.hear(-20);
    expect([desk.gate, desk.microphone.speaking, desk.microphone.level()]).toEqual([0, false, -20]);
    desk.microphone.mute(false);
    expect(desk.gate).toBe(1);
  });

  it("of push to talk is open while it is held, and a little longer", async () => {
    await open({ talking: { mode: "push", thresholdDb: -45, hangMs: 300 } });
    expect(desk.gate).toBe(0);
    desk.microphone.hold(true);
    expect([desk.gate, desk.microphone.held]).toEqual([1, true]);
    desk.microphone.hold(false);
    desk.hear(-90);
    expect(desk.gate).toBe(1);
    for (let n = 0; n < 25; n++) desk.hear(-90);
    expect(desk.gate).toBe(0);
  });

  it("of voice activation opens by a voice, which comes to it a little later, and tells once that it speaks", async () => {
    await open({ talking: { mode: "activation", thresholdDb: -45, hangMs: 100 } });
    const told: boolean[] = [];
    desk.microphone.onChange(() => told.push(desk.microphone.speaking));
    expect(desk.gate).toBe(0);
    for (let n = 0; n < 5; n++) desk.hear(-30);
    expect([desk.gate, desk.microphone.speaking]).toEqual([1, true]);
    for (let n = 0; n < 15; n++) desk.hear(-80);
    expect([desk.gate, desk.microphone.speaking]).toEqual([0, false]);
    expect(told).toEqual([true, false]);
  });

  it("is closed when the microphone ends", async () => {
    desk.media.devices = desk.media.devices.slice(0, 1);
    await open();
    desk.hear(-20);
    expect(desk.microphone.speaking).toBe(true);
    desk.media.unplug("a");
    await desk.settle();
    expect([desk.gate, desk.microphone.speaking]).toEqual([0, false]);
  });
});

describe("The meter", () => {
  it("rises at once and falls so that one can read it", async () => {
    await open();
    desk.hear(-20);
    desk.hear(-60);
    expect(desk.microphone.level()).toBe(-21.5);
    desk.hear(-10);
    expect(desk.microphone.level()).toBe(-10);
  });
});

describe("A test", () => {
  it("records for so long as it was told, and only then", async () => {
    await open();
    const recording = desk.microphone.test(40);
    const port = desk.worklets[0]?.port;
    expect(port?.said.at(-1)).toBe("record");
    for (let n = 0; n < 4; n++) desk.hear(-20, new Float32Array(480).fill(n));
    const heard = await recording;
    expect(heard?.length).toBe(1920);
    expect(heard?.getChannelData(0)[1919]).toBe(3);
    expect(port?.said.at(-1)).toBe("listen");
  });

  it("ends in nothing when the microphone is closed, or tested anew", async () => {
    await open();
    const first = desk.microphone.test(1000);
    const second = desk.microphone.test(1000);
    expect(await first).toBeNull();
    desk.microphone.close();
    expect(await second).toBeNull();
  });
});
