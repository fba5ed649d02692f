import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { BLOCK, Blocks } from "../src/voice/blocks";
import { rmsDb } from "../src/voice/levels";
import { Rnnoise } from "../src/voice/rnnoise";
import { hiss, voice } from "./sounds";

const RATE = 48_000;

describe("Blocks", () => {
  it("give back what came in, 448 samples later, without a gap", () => {
    const sizes: number[] = [];
    const blocks = new Blocks((block) => sizes.push(block.length));
    const output: number[] = [];
    for (let n = 0; n < 100; n++) {
      const piece = Float32Array.from({ length: 128 }, (_, k) => n * 128 + k + 1);
      const back = new Float32Array(128);
      blocks.push(piece, back);
      output.push(...back);
    }
    expect(output.slice(0, 448).every((sample) => sample === 0)).toBe(true);
    expect(output.slice(448)).toEqual(Array.from({ length: 100 * 128 - 448 }, (_, n) => n + 1));
    expect(new Set(sizes)).toEqual(new Set([BLOCK]));
  });

  it("give back what was made of them", () => {
    const blocks = new Blocks((block) => block.fill(7));
    const back = new Float32Array(128);
    for (let n = 0; n < 10; n++) blocks.push(new Float32Array(128), back);
    expect([...back].every((sample) => sample === 7)).toBe(true);
  });
});

/** What a sound is louder by after it went through, in dB, from that second on to the fifth. */
async function change(
  binary: Uint8Array<ArrayBuffer>,
  fromS: number,
  sound: (n: number) => number,
): Promise<number> {
  const rnnoise = await Rnnoise.load(binary);
  const [before, after]: [number[], number[]] = [[], []];
  for (let n = 0; n < 500; n++) {
    const block = Float32Array.from({ length: BLOCK }, (_, k) => sound(n * BLOCK + k));
    if (n >= fromS * 100) before.push(...block);
    rnnoise.work(block);
    if (n >= fromS * 100) after.push(...block);
  }
  rnnoise.free();
  return rmsDb(Float32Array.from(after)) - rmsDb(Float32Array.from(before));
}

describe.each(["rnnoise_simd.wasm", "rnnoise.wasm"])("RNNoise: %s", (file) => {
  let binary: Uint8Array<ArrayBuffer>;

  beforeAll(() => {
    const path = new URL(`../node_modules/@sapphi-red/web-noise-suppressor/dist/${file}`, import.meta.url);
    binary = new Uint8Array(readFileSync(path));
  });

  it("takes more than 10 dB from the noise behind a voice", async () => {
    const [speaks, hisses] = [voice(), hiss(0.02)];
    const both = (n: number): number => hisses() + (n < 2 * RATE ? speaks(n) : 0);
    expect(await change(binary, 2.5, both)).toBeLessThan(-10);
  });

  it("leaves a voice as loud as it was, within half a dB: there is nothing to make up for", async () => {
    expect(Math.abs(await change(binary, 1, voice()))).toBeLessThan(0.5);
  });

  it("hears whether there is a voice", async () => {
    const rnnoise = await Rnnoise.load(binary);
    const speaks = voice();
    const heard = Array.from({ length: 100 }, (_, n) =>
      rnnoise.work(Float32Array.from({ length: BLOCK }, (__, k) => speaks(n * BLOCK + k))),
    );
    expect(Math.max(...heard)).toBeGreaterThan(0.8);
    expect(rnnoise.work(new Float32Array(BLOCK))).toBeLessThanOrEqual(1);
  });
});

it("What is no RNNoise is refused", async () => {
  await expect(Rnnoise.load(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))).rejects.toThrow();
});
