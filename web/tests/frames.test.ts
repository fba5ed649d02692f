import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { frameOf, fullCounter } from "../src/peers/frames";

interface Vectors {
  counters: { known: number; low: number; full: number }[];
  frames: { name: string; hex: string; frame: VectorFrame }[];
  malformed: { name: string; hex: string }[];
}
interface VectorFrame {
  tick: number;
  at_ms: number;
  more: boolean;
  entries: { index: number; counter: number; state: object }[];
}

const vectors: Vectors = JSON.parse(
  readFileSync(new URL("../../tests/vectors/relay_frames.json", import.meta.url), "utf8"),
);

function bytes(hex: string): ArrayBuffer {
  const pairs = hex.match(/../g) ?? [];
  return new Uint8Array(pairs.map((pair) => Number.parseInt(pair, 16))).buffer;
}

/** The same numbers, to what double precision leaves of them. */
function near(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_, part) =>
    typeof part === "number" ? Number(part.toFixed(9)) + 0 : part,
  );
}

describe("a presence frame", () => {
  for (const { name, hex, frame } of vectors.frames) {
    it(`is read as Python wrote it: ${name}`, () => {
      const { tick, at_ms: atMs, more, entries } = frame;
      expect(near(frameOf(bytes(hex)))).toEqual(near({ tick, atMs, more, entries }));
    });
  }

  for (const { name, hex } of vectors.malformed) {
    it(`is nothing where it is malformed: ${name}`, () => {
      expect(frameOf(bytes(hex))).toBeNull();
    });
  }

  it("never throws, whatever the bytes: each frame with each byte changed", () => {
    for (const { hex } of vectors.frames) {
      const whole = new Uint8Array(bytes(hex));
      for (let at = 0; at < whole.length; at++) {
        const changed = whole.slice();
        changed[at] = (whole[at] ?? 0) ^ (1 + ((at * 37) % 255));
        expect(() => frameOf(changed.buffer)).not.toThrow();
        expect(() => frameOf(whole.slice(0, at).buffer)).not.toThrow();
      }
    }
  });

  it("widens a counter to the nearest one", () => {
    for (const { known, low, full } of vectors.counters) expect(fullCounter(known, low)).toBe(full);
  });
});
