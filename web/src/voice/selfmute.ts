/**
 * The own mute: so at once here, told to everybody after. What the person chose last is what is told last; where telling fails, a muted one stays muted,
 * and it is told again until it is known, at once when the room is entered again.
 */

import { backoffMs } from "../presence/backoff";
import { problemOf } from "../presence/ports";
import { verdictOf } from "../presence/verdict";
import type { UserId, VoiceState } from "../wire/generated";
import type { VoicePorts } from "./ports";

type Ports = Pick<VoicePorts, "now" | "random">;

export class SelfMute {
  /** What it is here while the room does not say the same; null: as the room says. */
  private wanted: boolean | null = null;
  private telling = 0;
  private turn: Promise<void> = Promise.resolve();
  private failures = 0;
  /** A mute that could not be told is told again from then on; null: there is none. */
  private againAtMs: number | null = null;

  constructor(
    private readonly tell: (muted: boolean) => Promise<void>,
    private readonly ports: Ports,
  ) {}

  want(muted: boolean): Promise<void> {
    this.wanted = muted;
    this.failures = 0;
    return this.send(muted);
  }

  /** The room was entered (again): what waits to be told waits no longer. */
  entered(): void {
    if (this.againAtMs !== null) this.againAtMs = this.ports.now();
  }

  /** Tells what could not be told, if it is time. */
  again(): void {
    if (this.againAtMs === null || this.telling > 0 || this.ports.now() < this.againAtMs) return;
    this.send(true).catch(() => {}); // the person was told when it failed first
  }

  /** A state came: one that says the same ends what was wanted here. */
  learn(state: VoiceState, userId: UserId): void {
    if (this.telling === 0 && mutedIn(state, userId) === this.wanted) this.wanted = this.againAtMs = null;
  }

  /** The state with it. */
  over(state: VoiceState, userId: UserId): VoiceState {
    const { wanted } = this;
    if (wanted === null || mutedIn(state, userId) === wanted) return state;
    const people = state.people.map((one) => (one.user_id === userId ? { ...one, self_muted: wanted } : one));
    return { ...state, people };
  }

  private send(muted: boolean): Promise<void> {
    this.againAtMs = null;
    this.telling += 1;
    const said = this.turn.then(() => this.say(muted));
    this.turn = said.catch(() => {});
    return said;
  }

  private async say(muted: boolean): Promise<void> {
    try {
      if (this.wanted === muted) await this.tell(muted); // else another wish is on its way
    } catch (thrown) {
      if (this.wanted === muted) this.failed(muted, thrown);
      throw thrown;
    } finally {
      this.telling -= 1;
    }
  }

  private failed(muted: boolean, thrown: unknown): void {
    if (!muted) {
      this.wanted = null;
      return;
    }
    const { code, retryAfterMs } = problemOf(thrown);
    if (verdictOf(code) !== "retry") return;
    this.failures += 1;
    this.againAtMs = this.ports.now() + backoffMs(this.failures, this.ports.random(), retryAfterMs);
  }
}

function mutedIn({ people }: VoiceState, userId: UserId): boolean {
  return people.find(({ user_id }) => user_id === userId)?.self_muted ?? false;
}
