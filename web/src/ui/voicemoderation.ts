/** Muting everybody: one by one, at the pace that the service allows. */

import type { PersonView, VoiceActions } from "../voice/types";
import { ApiError } from "../wire/client";

const ATTEMPTS = 4;

/** Mutes all of them who are not. Stops at the first refusal that waiting does not mend, and rejects with it. */
export async function muteAll(
  voice: Pick<VoiceActions, "muteOther">,
  people: readonly PersonView[],
  wait: (ms: number) => Promise<void>,
): Promise<void> {
  for (const { userId, muted } of people)
    if (!muted) await patiently(() => voice.muteOther(userId, true), wait);
}

async function patiently(work: () => Promise<void>, wait: (ms: number) => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (thrown) {
      const slowed = thrown instanceof ApiError && thrown.code === "rate.limited";
      if (!slowed || attempt === ATTEMPTS) throw thrown;
      await wait(Math.max(500, thrown.retryAfterMs));
    }
  }
}
