/** The own mute: so at once here, told to everybody after. What the person chose last is what is told last; where telling fails, a muted one stays muted. */

import type { UserId, VoiceState } from "../wire/generated";

export class SelfMute {
  /** What it is here while the room does not say the same; null: as the room says. */
  private wanted: boolean | null = null;
  private telling = 0;
  private turn: Promise<void> = Promise.resolve();

  constructor(private readonly tell: (muted: boolean) => Promise<void>) {}

  want(muted: boolean): Promise<void> {
    this.wanted = muted;
    this.telling += 1;
    const said = this.turn.then(() => this.say(muted));
    this.turn = said.catch(() => {});
    return said;
  }

  /** A state came: one that says the same ends what was wanted here. */
  learn(state: VoiceState, userId: UserId): void {
    if (this.telling === 0 && mutedIn(state, userId) === this.wanted) this.wanted = null;
  }

  /** The state with it. */
  over(state: VoiceState, userId: UserId): VoiceState {
    const { wanted } = this;
    if (wanted === null || mutedIn(state, userId) === wanted) return state;
    const people = state.people.map((one) => (one.user_id === userId ? { ...one, self_muted: wanted } : one));
    return { ...state, people };
  }

  private async say(muted: boolean): Promise<void> {
    try {
      if (this.wanted === muted) await this.tell(muted); // else another wish is on its way
    } catch (thrown) {
      if (this.wanted === muted && !muted) this.wanted = null;
      throw thrown;
    } finally {
      this.telling -= 1;
    }
  }
}

function mutedIn({ people }: VoiceState, userId: UserId): boolean {
  return people.find(({ user_id }) => user_id === userId)?.self_muted ?? false;
}
