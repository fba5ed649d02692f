/** Whom this page's person blocks, as the server has it: read when the room is entered, again where that failed, and followed by what is changed here. */

import type { UserId } from "../wire/generated";
import type { VoiceRoutes } from "./ports";

export class Blocking {
  users: ReadonlySet<UserId> = new Set();
  private known = false;

  constructor(
    private readonly routes: Pick<VoiceRoutes, "blocks" | "block" | "unblock">,
    private readonly onChange: () => void,
  ) {}

  async read(): Promise<void> {
    try {
      this.become((await this.routes.blocks()).blocked);
    } catch {
      // Read again when voice is joined or the room is entered the next time; the node keeps to them in any case.
    }
  }

  /** Where it was never read. */
  async want(): Promise<void> {
    if (!this.known) await this.read();
  }

  async set(userId: UserId, blocked: boolean): Promise<void> {
    if (blocked) this.become((await this.routes.block(userId)).blocked);
    else {
      await this.routes.unblock(userId);
      this.users = new Set([...this.users].filter((id) => id !== userId));
      this.onChange();
    }
  }

  private become(users: readonly UserId[]): void {
    this.users = new Set(users);
    this.known = true;
    this.onChange();
  }
}
