/** A recording of the own voice for the person alone: so many samples, gathered from the blocks that come by. */

export class Rehearsal {
  private readonly pieces: Float32Array[] = [];
  private readonly wanted: number;
  private gathered = 0;

  /** `done` gets it once it is long enough, or null when it was broken off. */
  constructor(
    private readonly context: BaseAudioContext,
    ms: number,
    private readonly done: (recorded: AudioBuffer | null) => void,
  ) {
    this.wanted = Math.ceil((ms / 1000) * context.sampleRate);
  }

  /** True when there is enough: then it is over. */
  hear(samples: Float32Array): boolean {
    this.pieces.push(samples);
    this.gathered += samples.length;
    if (this.gathered < this.wanted) return false;
    this.done(this.buffer());
    return true;
  }

  breakOff(): void {
    this.done(null);
  }

  private buffer(): AudioBuffer {
    const buffer = this.context.createBuffer(1, this.gathered, this.context.sampleRate);
    const channel = buffer.getChannelData(0);
    let at = 0;
    for (const piece of this.pieces) {
      channel.set(piece, at);
      at += piece.length;
    }
    return buffer;
  }
}
