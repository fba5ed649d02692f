/**
 * Samples in pieces of one size from pieces of another: the audio thread renders 128 at a time, RNNoise and the gate work on 480 (10 ms at 48 kHz).
 *
 * What is worked on comes out so many samples later as make sure that there are always enough: size - gcd(size, quantum), 448 for those two.
 */

export const BLOCK = 480;
const QUANTUM = 128;

export class Blocks {
  private readonly block: Float32Array;
  private filled = 0;
  private readonly ready: Float32Array;
  private from = 0;
  private waiting: number;

  /** `work` gets each full block, and may change it in place. */
  constructor(
    private readonly work: (block: Float32Array) => void,
    size = BLOCK,
    quantum = QUANTUM,
  ) {
    this.block = new Float32Array(size);
    this.ready = new Float32Array(2 * size + quantum);
    this.waiting = size - divisor(size, quantum);
  }

  /** Takes a piece, and fills another of the same length with what was worked on before. */
  push(input: Float32Array, output: Float32Array): void {
    let taken = 0;
    while (taken < input.length) {
      const part = input.subarray(taken, taken + this.block.length - this.filled);
      this.block.set(part, this.filled);
      this.filled += part.length;
      taken += part.length;
      if (this.filled === this.block.length) this.done();
    }
    for (let n = 0; n < output.length; n++) output[n] = this.next();
  }

  private done(): void {
    this.work(this.block);
    this.filled = 0;
    for (const sample of this.block) {
      this.ready[(this.from + this.waiting) % this.ready.length] = sample;
      this.waiting += 1;
    }
  }

  private next(): number {
    const sample = this.ready[this.from] ?? 0;
    this.ready[this.from] = 0;
    this.from = (this.from + 1) % this.ready.length;
    this.waiting -= 1;
    return sample;
  }
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}
