/** How often something happens. Pure. */

/** Events a second, over the last few. */
export class Rate {
  private times: number[] = [];

  constructor(private readonly spanMs = 3000) {}

  add(nowMs: number): void {
    this.times.push(nowMs);
    if (this.times.length > KEPT) this.times = this.times.slice(-KEPT / 2);
  }

  perSecond(nowMs: number): number {
    this.times = this.times.filter((time) => time > nowMs - this.spanMs);
    return Math.round((this.times.length * 10_000) / this.spanMs) / 10;
  }
}

const KEPT = 8192;
