/**
 * Remote motion at display rate from states at 5 to 20 Hz: a playback buffer a little in the past.
 *
 * Theory. A sample says where a peer was at a time of the server's clock. The least delay ever seen maps that clock to
 * ours; the spacing and the lateness of the samples say how far behind to play so that the next one has usually come.
 * The playhead never jumps: it runs up to 12% faster or slower until it is where it should be. Past the newest sample
 * the motion is continued for a moment and fades. When late data bends the curve, what is shown keeps its place and
 * the difference is eased away. Only a teleport (further than a person can have moved) is shown as a jump.
 * Pure: all times are arguments.
 */

import type { Quat, Vec3 } from "../wire/generated";
import { between, type Knot, type Placed } from "./curve";
import { add, clamp, conjugate, distance, multiply, scale, slerp, subtract } from "./maths";

export interface TrackOptions {
  teleportM: number;
}

const KNOTS_MAX = 12;
const DELAY_MIN_MS = 90;
const DELAY_MAX_MS = 600;
const DELAY_START_MS = 280;
const SPACING_MAX_MS = 350;
const WARP = 0.12;
const RESYNC_MS = 1500;
const EXTRAPOLATE_MS = 180;
const RETURN_MS = 300;
const EASE_MS = 160;
const STILL: Quat = [0, 0, 0, 1];

export class Track {
  private knots: Knot[] = [];
  private offsetMs = Number.POSITIVE_INFINITY;
  private spacingMs = 200;
  private latenessMs = 40;
  private playhead: number | null = null;
  private shownAt = 0;
  private slip: Vec3 = [0, 0, 0];
  private turn: Quat = STILL;

  constructor(private readonly options: TrackOptions = { teleportM: 8 }) {}

  /** How far in the past is being shown, in ms. */
  get delayMs(): number {
    return clamp(this.spacingMs + 1.6 * this.latenessMs, DELAY_MIN_MS, DELAY_MAX_MS);
  }

  get empty(): boolean {
    return this.knots.length === 0;
  }

  /** A sample of the server's time `atMs` that arrived at `nowMs`; one older than the newest is ignored. */
  push(atMs: number, position: Vec3, rotation: Quat, nowMs: number): void {
    const last = this.knots.at(-1);
    if (last && atMs <= last.at) return;
    const before = last ? this.show(nowMs) : null;
    this.measure(atMs, nowMs, last);
    const teleport = !last || distance(last.position, position) > this.options.teleportM;
    if (last && !teleport && atMs - last.at > SPACING_MAX_MS) {
      this.knots.push({ ...last, at: atMs - this.spacingMs, teleport: false });
    }
    this.knots.push({ at: atMs, position, rotation, teleport });
    this.knots = this.knots.slice(-KNOTS_MAX);
    if (!before) {
      this.playhead = atMs - DELAY_START_MS;
      this.shownAt = nowMs;
    } else if (!teleport) {
      const after = this.curve();
      this.slip = subtract(before.position, after.position);
      this.turn = multiply(before.rotation, conjugate(after.rotation));
    }
  }

  /** What to display at `nowMs`; null before the first sample. Call with a clock that does not go back. */
  show(nowMs: number): Placed | null {
    if (this.playhead === null) return null;
    this.advance(Math.max(0, nowMs - this.shownAt), nowMs);
    this.shownAt = Math.max(this.shownAt, nowMs);
    const { position, rotation } = this.curve();
    return { position: add(position, this.slip), rotation: multiply(this.turn, rotation) };
  }

  /** Forgets the past: the next sample appears where it is. */
  reset(): void {
    this.knots = [];
    this.playhead = null;
    this.slip = [0, 0, 0];
    this.turn = STILL;
  }

  private measure(atMs: number, nowMs: number, last: Knot | undefined): void {
    const delay = nowMs - atMs;
    if (delay < this.offsetMs) this.offsetMs = delay;
    else this.offsetMs += Math.min(1, (delay - this.offsetMs) * 0.005);
    this.latenessMs += (Math.min(delay - this.offsetMs, 400) - this.latenessMs) * 0.1;
    const spacing = last ? atMs - last.at : Number.POSITIVE_INFINITY;
    if (spacing <= SPACING_MAX_MS) this.spacingMs += (spacing - this.spacingMs) * 0.1;
  }

  private advance(elapsedMs: number, nowMs: number): void {
    const wanted = nowMs - this.offsetMs - this.delayMs;
    const free = (this.playhead ?? wanted) + elapsedMs;
    const error = wanted - free;
    const away = Math.abs(error) > RESYNC_MS;
    this.playhead = away ? wanted : free + clamp(error, -WARP * elapsedMs, WARP * elapsedMs);
    const keep = Math.exp(-elapsedMs / EASE_MS);
    this.slip = scale(this.slip, keep);
    this.turn = slerp(STILL, this.turn, keep);
  }

  private curve(): Placed {
    const at = this.playhead ?? 0;
    const after = this.knots.findIndex((knot) => knot.at > at);
    const last = this.knots.at(-1);
    const first = this.knots[0];
    if (!first || !last) return { position: [0, 0, 0], rotation: STILL };
    if (after === 0) return first;
    if (after < 0) return this.beyond(last, at);
    const b = this.knots[after - 1] ?? first;
    const c = this.knots[after] ?? last;
    return between(this.knots[after - 2], b, c, this.knots[after + 1], at);
  }

  /**
   * Past the newest: on in the same direction, ever slower, until EXTRAPOLATE_MS are used up; then back to the newest, for
   * a peer of whom nothing more is heard has stopped there.
   */
  private beyond(last: Knot, at: number): Placed {
    const previous = this.knots.at(-2);
    if (!previous || last.teleport) return last;
    const t = clamp((at - last.at) / EXTRAPOLATE_MS, 0, 1);
    const back = clamp((at - last.at - EXTRAPOLATE_MS) / RETURN_MS, 0, 1);
    const reach = EXTRAPOLATE_MS * (t - (t * t) / 2) * 0.5 * (1 - back * back * (3 - 2 * back));
    const velocity = scale(subtract(last.position, previous.position), 1 / (last.at - previous.at));
    return { position: add(last.position, scale(velocity, reach)), rotation: last.rotation };
  }
}
