/** What people are called who are here or once were: history and notices name them by id. */

import type { Roster } from "../presence/roster";
import type { ParticipantList } from "../wire/generated";

/** What somebody is called until their name is known. */
export const SOMEBODY = "Somebody";

/** Names by user id. */
export class Names {
  private readonly known = new Map<string, string>();
  private readonly asked = new Set<string>();

  constructor(
    private readonly roster: Roster,
    /** Everybody who ever was a member, a page at a time. */
    private readonly members: (cursor: string | null) => Promise<ParticipantList>,
    private readonly onLearned: () => void,
  ) {}

  /** The name, or SOMEBODY, and then `onLearned` is called once it is known. */
  of(userId: string): string {
    for (const { peer } of this.roster.members.values()) {
      this.known.set(peer.user_id, peer.name);
    }
    const name = this.known.get(userId);
    if (name !== undefined) return name;
    if (!this.asked.has(userId)) {
      this.asked.add(userId);
      void this.learn();
    }
    return SOMEBODY;
  }

  private async learn(): Promise<void> {
    try {
      let cursor: string | null = null;
      do {
        const page: ParticipantList = await this.members(cursor);
        for (const { user_id, name } of page.participants) this.known.set(user_id, name);
        cursor = page.next_cursor ?? null;
      } while (cursor !== null);
      this.onLearned();
    } catch {
      // Names are a comfort; the next stranger asks again.
    }
  }
}
