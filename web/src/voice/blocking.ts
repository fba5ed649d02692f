/** Whom this page's person blocks, as the server has it: read when the room is entered, again until that succeeds, and followed by what is changed here. */

import { backoffMs } from "../presence/backoff";
import type { UserId } from "../wire/generated";
import type { VoicePorts, VoiceRoutes } from "./ports";

interface Ports extends Pick<VoicePorts, "after" | "random"> {
  readonly routes: Pick<VoiceRoutes, "blocks" | "block" | "unblock">;
}

export class Blocking {
  users: ReadonlySet<UserId> = new Set();
  private failures = 0;
  /** Begun and done here: what was read in between may be from before. */
  private changes = 0;
  private over = false;
  private cancel: () => void = () => {};

  constructor(
    private readonly ports: Ports,
    private readonly onChange: () => void,
  ) {}

  /** Until then the node keeps to them, but between two pages nobody does. */
  async read(): Promise<void> {
    this.cancel();
    const { changes } = this;
    try {
      const { blocked } = await this.ports.routes.blocks();
      this.failures = 0;
      if (this.changes === changes) this.become(blocked);
      else this.later(0);
    } catch {
      this.later(backoffMs(this.failures++, this.ports.random()));
    }
  }

  /** Of several at once the answers may come in any order: what is so after them is read. */
  async set(userId: UserId, blocked: boolean): Promise<void> {
    this.changes += 1;
    const { changes } = this;
    try {
      if (blocked) this.become((await this.ports.routes.block(userId)).blocked);
      else {
        await this.ports.routes.unblock(userId);
        this.become([...this.users].filter((id) => id !== userId));
      }
    } finally {
      const alone = this.changes === changes;
      this.changes += 1;
      if (!alone) this.later(0);
    }
  }

  /** Nothing more is read. */
  stop(): void {
    this.over = true;
    this.cancel();
  }

  private later(ms: number): void {
    this.cancel();
    if (!this.over) this.cancel = this.ports.after(ms, () => void this.read());
  }

  private become(users: readonly UserId[]): void {
    this.users = new Set(users);
    this.onChange();
  }
}
