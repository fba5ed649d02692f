/** What the relay is asked for: how many voices at once, and whose not. Told once, and again where it changes or another connection carries. Pure. */

import { LIMITS, type UserId, type VoicePrefer, type VoiceState } from "../wire/generated";

export class Preferring {
  private told = "";

  /** Nobody has been told anything. */
  forget(): void {
    this.told = "";
  }

  /** What is to be told; null: it is known. Whoever has no volume here takes no slot. */
  due(
    slots: number,
    volumes: Readonly<Record<UserId, number>>,
    state: VoiceState | null,
  ): VoicePrefer | null {
    const there = (state?.people ?? []).map(({ user_id }) => user_id);
    const silenced = there
      .filter((userId) => Object.hasOwn(volumes, userId) && volumes[userId] === 0)
      .sort()
      .slice(0, LIMITS.VOICE_MEMBERS_MAX);
    const wish: VoicePrefer = { type: "voice.prefer", slots, silenced };
    return JSON.stringify(wish) === this.told ? null : wish;
  }

  sent(wish: VoicePrefer): void {
    this.told = JSON.stringify(wish);
  }
}
