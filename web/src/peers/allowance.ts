/** How much another may send here: so much at once, and so much a second on. Pure: the time is an argument. */

export interface Bounds {
  burst: number;
  perS: number;
  bytesBurst?: number;
  bytesPerS?: number;
}

export class Allowance {
  /** Since the bucket was last full. */
  refused = 0;
  private messages: number;
  private bytes: number;
  private atMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly bounds: Bounds) {
    this.messages = bounds.burst;
    this.bytes = bounds.bytesBurst ?? 0;
  }

  /** Whether one more may come in; what is refused costs its sender nothing. */
  take(bytes: number, nowMs: number): boolean {
    const { burst, perS, bytesBurst, bytesPerS = 0 } = this.bounds;
    const seconds = Math.max(0, nowMs - this.atMs) / 1000;
    this.atMs = nowMs;
    this.messages = Math.min(burst, this.messages + seconds * perS);
    if (this.messages === burst) this.refused = 0;
    if (bytesBurst !== undefined) this.bytes = Math.min(bytesBurst, this.bytes + seconds * bytesPerS);
    const fits = this.messages >= 1 && (bytesBurst === undefined || this.bytes >= bytes);
    if (!fits) {
      this.refused += 1;
      return false;
    }
    this.messages -= 1;
    this.bytes -= bytes;
    return true;
  }
}
