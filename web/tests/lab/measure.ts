/** What a test asks of samples. */

import { dbfs, rmsDb } from "../../src/voice/levels";

export const RATE = 48_000;

export interface Heard {
  left: Float32Array;
  right: Float32Array;
}

export function heardOf(buffer: AudioBuffer): Heard {
  return { left: buffer.getChannelData(0), right: buffer.getChannelData(1) };
}

/** Both ears together, from one second to another. */
export function loudness(heard: Heard, fromS: number, toS: number): number {
  const [left, right] = [rmsDb(part(heard.left, fromS, toS)), rmsDb(part(heard.right, fromS, toS))];
  return 10 * Math.log10(10 ** (left / 10) + 10 ** (right / 10));
}

export function sides(heard: Heard, fromS: number, toS: number): readonly [number, number] {
  return [rmsDb(part(heard.left, fromS, toS)), rmsDb(part(heard.right, fromS, toS))];
}

export function peak(samples: Float32Array): number {
  return samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
}

/**
 * The loudest moment above a frequency, in dBFS: a click is there, a tone far below is not (two second-order high-passes, 24 dB an octave).
 */
export function click(heard: Heard, aboveHz: number, fromS: number, toS: number): number {
  const both = [heard.left, heard.right].map((ear) => {
    const high = highPass(highPass(ear, aboveHz, 0.54), aboveHz, 1.31);
    return peak(part(high, fromS, toS));
  });
  return dbfs(Math.max(...both));
}

export function part(samples: Float32Array, fromS: number, toS: number): Float32Array {
  return samples.subarray(Math.round(fromS * RATE), Math.round(toS * RATE));
}

function highPass(samples: Float32Array, hz: number, q: number): Float32Array {
  const w = (2 * Math.PI * hz) / RATE;
  const alpha = Math.sin(w) / (2 * q);
  const cos = Math.cos(w);
  const [b0, b1, a0, a1, a2] = [(1 + cos) / 2, -(1 + cos), 1 + alpha, -2 * cos, 1 - alpha];
  let [x1, x2, y1, y2] = [0, 0, 0, 0];
  return samples.map((x) => {
    const y = (b0 * x + b1 * x1 + b0 * x2 - a1 * y1 - a2 * y2) / a0;
    [x2, x1, y2, y1] = [x1, x, y1, y];
    return y;
  });
}
