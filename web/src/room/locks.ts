/** Who has locked what, by REST: asked for every few seconds, one's own kept alive for as long as the room is open. */

import type { LockBook } from "../edit/desk";
import type { Api } from "../wire/api";
import { LIMITS, type Lock } from "../wire/generated";

const ASK_EVERY_MS = 5000;
const RENEW_EVERY_MS = (LIMITS.LOCK_TTL_S * 1000) / 3;

export interface LockPorts {
  api: Pick<Api, "locks" | "acquireLock" | "renewLock" | "releaseLock">;
  sessionId: string;
  userId(): string | null;
  now(): number;
  every(ms: number, call: () => void): () => void;
}

/** The locks of a room. */
export class RoomLocks implements LockBook {
  private held: ReadonlyMap<string, Lock> = new Map();
  private readonly listeners = new Set<() => void>();
  private readonly stops: (() => void)[];

  constructor(private readonly ports: LockPorts) {
    this.stops = [
      ports.every(ASK_EVERY_MS, () => void this.ask()),
      ports.every(RENEW_EVERY_MS, () => void this.renew()),
    ];
    void this.ask();
  }

  holder(entity: string): string | null {
    return this.held.get(entity)?.user_id ?? null;
  }

  async acquire(entity: string): Promise<void> {
    await this.ports.api.acquireLock(this.ports.sessionId, { object_id: entity });
    await this.ask();
  }

  /** Lets go of one's own; another's is broken, and then free. */
  async release(entity: string): Promise<void> {
    const { api, sessionId } = this.ports;
    if (this.holder(entity) !== this.ports.userId()) {
      await api.acquireLock(sessionId, { object_id: entity, break: true });
    }
    await api.releaseLock(sessionId, entity);
    await this.ask();
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  dispose(): void {
    for (const stop of this.stops) stop();
    this.listeners.clear();
  }

  private async ask(): Promise<void> {
    try {
      const { locks } = await this.ports.api.locks(this.ports.sessionId);
      const before = JSON.stringify([...this.held.keys()].map((key) => [key, this.holder(key)]));
      this.held = new Map(locks.map((lock) => [lock.object_id, lock]));
      const after = JSON.stringify([...this.held.keys()].map((key) => [key, this.holder(key)]));
      if (before !== after) for (const listener of this.listeners) listener();
    } catch {
      // The next time may go better; what is locked is judged by the server anyway.
    }
  }

  private async renew(): Promise<void> {
    const { api, sessionId, userId } = this.ports;
    for (const { object_id, user_id, token } of this.held.values()) {
      if (user_id !== userId()) continue;
      await api.renewLock(sessionId, object_id, { token }).catch(() => this.ask());
    }
  }
}
