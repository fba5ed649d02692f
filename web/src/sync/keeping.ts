/**
 * What is not acknowledged outlives the page: each editor's memory, by document, in the browser's storage.
 *
 * Law: a memory belongs to one open page at a time, by a lock that ends with the page. A page that opens a document takes
 * an abandoned memory with something pending, so that what was edited offline in a tab that was closed is sent at last;
 * else it makes a new one. Only memories with something pending are kept: a client id whose work is all in the log
 * is never needed again. The confirmed state is not kept: the log has it.
 */

import { emptyMemory, type Memory } from "./engine";

/** A memory as it is stored. Nobody sends another person's edits. */
export interface Kept extends Memory {
  documentId: string;
  userId: string;
}

/** Where memories are stored. May reject: then edits live as long as the page. */
export interface Store {
  list(documentId: string): Promise<Kept[]>;
  put(kept: Kept): Promise<void>;
  drop(documentId: string, client: string): Promise<void>;
}

/** Gives a name back. */
export type Release = () => void;

/** What keeping needs from the world. */
export interface KeepingPorts {
  store: Store;
  /** Takes a name until it is released or the page ends; null if another has it, or nobody can say. */
  claim(name: string, waitMs: number): Promise<Release | null>;
  /** A new client id. */
  newClient(): string;
  /** Which memory this tab had of that document: a reload's old page may still hold it for a moment. */
  hint: { get(documentId: string): string | null; set(documentId: string, client: string): void };
}

const RELOAD_MS = 700;

/** Keeps one editor's memory of one document. */
export class Keeper {
  private newest: Memory | null = null;
  private writing: Promise<void> | null = null;
  private closed = false;

  constructor(
    private readonly store: Store,
    private readonly documentId: string,
    private readonly userId: string,
    /** As it was when the document was opened. */
    readonly memory: Memory,
    private stored: boolean,
    private readonly release: Release,
  ) {}

  /** Takes nothing more; when what it has is written, the memory is anybody's. */
  async close(): Promise<void> {
    this.closed = true;
    await this.drain();
    this.release();
  }

  /** Resolves when this memory, or a later one, is stored. One write at a time; those in between are passed over. */
  async save(memory: Memory): Promise<void> {
    if (this.closed) return;
    this.newest = memory;
    await this.drain();
  }

  private async drain(): Promise<void> {
    while (this.newest !== null || this.writing !== null) {
      this.writing ??= this.write();
      await this.writing;
    }
  }

  private async write(): Promise<void> {
    const memory = this.newest;
    this.newest = null;
    try {
      if (memory) await this.put(memory);
    } catch {
      // Full or denied: what is pending lives as long as the page.
    } finally {
      this.writing = null;
    }
  }

  private async put(memory: Memory): Promise<void> {
    if (pending(memory)) {
      this.stored = true;
      await this.store.put({ ...memory, documentId: this.documentId, userId: this.userId });
    } else if (this.stored) {
      await this.store.drop(this.documentId, memory.client);
      this.stored = false;
    }
  }
}

/** The memory that this page has of a document from now on. Never rejects. */
export async function openKeeper(ports: KeepingPorts, documentId: string, userId: string): Promise<Keeper> {
  const { store, hint } = ports;
  const hinted = hint.get(documentId);
  for (const kept of byHint(await abandoned(store, documentId, userId), hinted)) {
    const release = await ports.claim(lockOf(kept), kept.client === hinted ? RELOAD_MS : 0);
    if (!release) continue;
    // The page that had it may have written once more before it ended.
    const now = (await abandoned(store, documentId, userId)).find(({ client }) => client === kept.client);
    if (!now) {
      release();
      continue;
    }
    hint.set(documentId, now.client);
    return new Keeper(store, documentId, userId, now, true, release);
  }
  const memory = emptyMemory(ports.newClient());
  const release = await ports.claim(lockOf({ documentId, client: memory.client }), 0);
  hint.set(documentId, memory.client);
  return new Keeper(store, documentId, userId, memory, false, release ?? (() => {}));
}

const pending = ({ inFlight, buffer }: Memory): boolean => inFlight !== null || buffer.length > 0;

const lockOf = ({ documentId, client }: { documentId: string; client: string }): string =>
  `memory.${documentId}.${client}`;

async function abandoned(store: Store, documentId: string, userId: string): Promise<Kept[]> {
  try {
    return (await store.list(documentId)).filter((kept) => kept.userId === userId && pending(kept));
  } catch {
    return [];
  }
}

function byHint(all: Kept[], hinted: string | null): Kept[] {
  return [...all].sort((one, other) => Number(other.client === hinted) - Number(one.client === hinted));
}
