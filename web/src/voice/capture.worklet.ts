/**
 * Listens to the own voice on its way: tells how loud each 10 ms are, and the samples too while something is recorded.
 *
 * On the audio thread, because a hidden page's timers come once a second and the gate of voice activation has to open in time.
 */

import { BLOCK } from "./blocks";
import { rmsDb } from "./levels";

class Capture extends AudioWorkletProcessor {
  private readonly block = new Float32Array(BLOCK);
  private filled = 0;
  private records = false;
  private ended = false;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      if (data === "end") this.ended = true;
      else this.records = data === "record";
    };
  }

  process([input]: readonly Float32Array[][], [output]: readonly Float32Array[][]): boolean {
    const [from, to] = [input?.[0], output?.[0]];
    if (!from || !to) return !this.ended;
    to.set(from);
    for (const sample of from) {
      this.block[this.filled] = sample;
      this.filled += 1;
      if (this.filled === BLOCK) this.tell();
    }
    return !this.ended;
  }

  private tell(): void {
    this.filled = 0;
    const levelDb = rmsDb(this.block);
    this.port.postMessage(this.records ? { levelDb, samples: this.block.slice() } : { levelDb });
  }
}

registerProcessor("holodeck-capture", Capture);
