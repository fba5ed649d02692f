import { describe, expect, it } from "vitest";
import { HYSTERESIS_DB, RELEASE_MS, SPEECH_HANG_MS, TalkingGate } from "../src/voice/talking";
import type { Talking } from "../src/voice/types";

const LOUD = -30;
const QUIET = -70;

function gate(mode: Talking["mode"], more: Partial<Talking> = {}): TalkingGate {
  return new TalkingGate({ mode, thresholdDb: -45, hangMs: 300, ...more });
}

describe("Open microphone", () => {
  it("is open, and speaks while there is a voice and a little longer", () => {
    const open = gate("open");
    expect([open.gate(0), open.speaking(0)]).toEqual(["open", false]);
    open.hear(LOUD, 10);
    expect(open.speaking(10)).toBe(true);
    open.hear(QUIET, 20);
    expect(open.speaking(20 + SPEECH_HANG_MS - 20)).toBe(true);
    expect(open.speaking(10 + SPEECH_HANG_MS)).toBe(false);
    expect(open.gate(9000)).toBe("open");
  });

  it("shows a soft voice as speaking, however high the threshold of voice activation is", () => {
    const open = gate("open", { thresholdDb: -12 });
    open.hear(-48, 0);
    expect(open.speaking(0)).toBe(true);
  });
});

describe("Push to talk", () => {
  it("is open while it is held, and for the end of the last word", () => {
    const push = gate("push");
    push.hear(LOUD, 0);
    expect([push.gate(0), push.speaking(0)]).toEqual(["closed", false]);
    push.hold(true, 100);
    expect([push.gate(100), push.held]).toEqual(["open", true]);
    push.hold(false, 500);
    expect(push.gate(500 + RELEASE_MS - 1)).toBe("hanging");
    expect(push.gate(500 + RELEASE_MS)).toBe("closed");
  });

  it("does not go on by a key that is let go twice", () => {
    const push = gate("push");
    push.hold(true, 0);
    push.hold(false, 10);
    push.hold(false, 190);
    expect(push.gate(10 + RELEASE_MS)).toBe("closed");
  });

  it("speaks only if there is a voice", () => {
    const push = gate("push");
    push.hold(true, 0);
    push.hear(QUIET, 0);
    expect(push.speaking(0)).toBe(false);
    push.hear(LOUD, 10);
    expect(push.speaking(10)).toBe(true);
  });
});

describe("Voice activation", () => {
  it("opens with the first block that is loud enough", () => {
    const voice = gate("activation");
    voice.hear(-46, 0);
    expect(voice.gate(0)).toBe("closed");
    voice.hear(-45, 10);
    expect([voice.gate(10), voice.speaking(10)]).toEqual(["open", true]);
  });

  it("stays open down to the hysteresis, then hangs, then closes", () => {
    const voice = gate("activation");
    voice.hear(LOUD, 0);
    voice.hear(-45 - HYSTERESIS_DB, 10);
    expect(voice.gate(10)).toBe("open");
    voice.hear(-45 - HYSTERESIS_DB - 0.1, 20);
    expect(voice.gate(20)).toBe("hanging");
    expect(voice.gate(309)).toBe("hanging");
    expect(voice.gate(310)).toBe("closed");
  });

  it("needs the whole threshold again once it fell silent", () => {
    const voice = gate("activation");
    voice.hear(LOUD, 0);
    voice.hear(QUIET, 10);
    voice.hear(-50, 20);
    expect(voice.gate(20)).toBe("hanging");
    voice.hear(-44, 30);
    expect(voice.gate(30)).toBe("open");
  });

  it("does not flutter between the gaps of words", () => {
    const voice = gate("activation");
    let closed = 0;
    for (let ms = 0; ms < 5000; ms += 10) {
      voice.hear(ms % 300 < 100 ? LOUD : QUIET, ms);
      if (voice.gate(ms) === "closed") closed += 1;
    }
    expect(closed).toBe(0);
  });

  it("hears nothing in no sound at all", () => {
    const voice = gate("activation");
    voice.hear(Number.NEGATIVE_INFINITY, 0);
    expect(voice.gate(0)).toBe("closed");
  });
});

describe("Mute", () => {
  it.each(["open", "push", "activation"] as const)("closes at once, whatever goes on: %s", (mode) => {
    const any = gate(mode);
    any.hold(true, 0);
    any.hear(LOUD, 0);
    any.mute(true);
    expect([any.gate(0), any.speaking(0)]).toEqual(["closed", false]);
    any.mute(false);
    expect(any.gate(1)).toBe("open");
  });

  it("leaves nothing of a key that was let go before", () => {
    const push = gate("push");
    push.hold(true, 0);
    push.hold(false, 10);
    push.mute(true);
    push.mute(false);
    expect(push.gate(11)).toBe("closed");
  });
});

it("Another way of talking counts from now on", () => {
  const any = gate("open");
  any.change({ mode: "push", thresholdDb: -45, hangMs: 300 });
  expect(any.gate(0)).toBe("closed");
});
