/** What the server's clock says, from when its messages were made and came. Pure. */

/** How long an estimate is kept though a quicker round trip made it. */
const KEPT_MS = 120_000;

export class ServerClock {
  private offsetMs = 0;
  private tripMs = Number.POSITIVE_INFINITY;
  private atMs = 0;

  /** The server wrote `serverMs` between `sentMs` and `nowMs`: half way, as far as anyone knows (RFC 5905 section 8). */
  heard(serverMs: number, sentMs: number, nowMs: number): void {
    const trip = Math.max(0, nowMs - sentMs);
    if (trip > this.tripMs && nowMs - this.atMs < KEPT_MS) return;
    this.tripMs = trip;
    this.atMs = nowMs;
    this.offsetMs = serverMs - (sentMs + trip / 2);
  }

  now(nowMs: number): number {
    return nowMs + this.offsetMs;
  }
}
