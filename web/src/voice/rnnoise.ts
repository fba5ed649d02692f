/**
 * RNNoise (Valin 2018, "A Hybrid DSP/Deep Learning Approach to Real-Time Full-Band Speech Enhancement") as the WebAssembly of
 * `@sapphi-red/web-noise-suppressor`, called directly: one channel, blocks of 480 samples at 48 kHz, 10 ms late.
 */

import { BLOCK } from "./blocks";

/** RNNoise counts in 16-bit steps. */
const FULL_SCALE = 32768;

interface Exports {
  memory: WebAssembly.Memory;
  __wasm_call_ctors(): void;
  rnnoise_get_frame_size(): number;
  rnnoise_create(model: number): number;
  rnnoise_destroy(state: number): void;
  rnnoise_process_frame(state: number, output: number, input: number): number;
  malloc(bytes: number): number;
}

export class Rnnoise {
  private readonly state: number;
  private readonly samples: Float32Array;
  private readonly at: number;

  private constructor(private readonly exports: Exports) {
    this.at = exports.malloc(BLOCK * Float32Array.BYTES_PER_ELEMENT);
    this.state = exports.rnnoise_create(0);
    this.samples = new Float32Array(exports.memory.buffer, this.at, BLOCK);
  }

  static async load(binary: BufferSource): Promise<Rnnoise> {
    let memory: Uint8Array | null = null;
    const { instance } = await WebAssembly.instantiate(binary, {
      env: {
        emscripten_memcpy_big: (to: number, from: number, bytes: number) => {
          memory?.copyWithin(to, from, from + bytes);
          return to;
        },
        // What it needs it has from the beginning: its memory is never replaced beneath `samples`.
        emscripten_resize_heap: () => 0,
        __assert_fail: () => {
          throw new Error("RNNoise failed");
        },
      },
    });
    const exports = instance.exports as unknown as Exports;
    memory = new Uint8Array(exports.memory.buffer);
    exports.__wasm_call_ctors();
    if (exports.rnnoise_get_frame_size() !== BLOCK) throw new Error("another RNNoise");
    return new Rnnoise(exports);
  }

  /** Takes the noise out of a block, in place. Returns how likely there is a voice in it, 0 to 1. */
  work(block: Float32Array): number {
    for (let n = 0; n < BLOCK; n++) this.samples[n] = (block[n] ?? 0) * FULL_SCALE;
    const voice = this.exports.rnnoise_process_frame(this.state, this.at, this.at);
    for (let n = 0; n < BLOCK; n++) block[n] = (this.samples[n] ?? 0) / FULL_SCALE;
    return voice;
  }

  free(): void {
    this.exports.rnnoise_destroy(this.state);
  }
}
