/** RNNoise on the audio thread. Until it is loaded, and if it cannot be, the voice goes through as it is. */

import { Blocks } from "./blocks";
import { Rnnoise } from "./rnnoise";

class Denoiser extends AudioWorkletProcessor {
  private rnnoise: Rnnoise | null = null;
  private readonly blocks = new Blocks((block) => this.rnnoise?.work(block));
  private ended = false;

  constructor({ processorOptions }: { processorOptions?: unknown }) {
    super();
    this.port.onmessage = () => this.end();
    Rnnoise.load(processorOptions as ArrayBuffer).then(
      (loaded) => {
        if (this.ended) loaded.free();
        else this.rnnoise = loaded;
        this.port.postMessage("loaded");
      },
      () => this.port.postMessage("failed"),
    );
  }

  process([input]: readonly Float32Array[][], [output]: readonly Float32Array[][]): boolean {
    const [from, to] = [input?.[0], output?.[0]];
    if (from && to) this.blocks.push(from, to);
    return !this.ended;
  }

  private end(): void {
    this.ended = true;
    this.rnnoise?.free();
    this.rnnoise = null;
  }
}

registerProcessor("holodeck-rnnoise", Denoiser);
