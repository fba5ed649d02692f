/** The browser's side of keeping: IndexedDB, Web Locks and the tab's own storage. */

import type { KeepingPorts, Kept, Release, Store } from "./keeping";

const NAME = "holodeck";
const TABLE = "memories";
const VERSION = 1;
const OPEN_MS = 3000;

/** Memories in IndexedDB, by document and client. */
export class IndexedStore implements Store {
  private opened: Promise<IDBDatabase> | null = null;

  constructor(private readonly factory: IDBFactory) {}

  async list(documentId: string): Promise<Kept[]> {
    const range = IDBKeyRange.bound([documentId], [documentId, []]);
    const found = await this.ask("readonly", (table) => table.getAll(range));
    return found as Kept[];
  }

  async put(kept: Kept): Promise<void> {
    await this.ask("readwrite", (table) => table.put(kept));
  }

  async drop(documentId: string, client: string): Promise<void> {
    await this.ask("readwrite", (table) => table.delete([documentId, client]));
  }

  private async ask(mode: IDBTransactionMode, call: (table: IDBObjectStore) => IDBRequest): Promise<unknown> {
    this.opened ??= this.open();
    const database = await this.opened;
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(TABLE, mode);
      const request = call(transaction.objectStore(TABLE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error ?? new Error("the storage gave up"));
    });
  }

  private open(): Promise<IDBDatabase> {
    const opened = new Promise<IDBDatabase>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("the storage does not open")), OPEN_MS);
      const request = this.factory.open(NAME, VERSION);
      request.onupgradeneeded = () => {
        request.result.createObjectStore(TABLE, { keyPath: ["documentId", "client"] });
      };
      request.onsuccess = () => {
        clearTimeout(timer);
        // Another page with a newer version must not wait for this one.
        request.result.onversionchange = () => {
          request.result.close();
          this.opened = null;
        };
        request.result.onclose = () => {
          this.opened = null;
        };
        resolve(request.result);
      };
      request.onerror = () => reject(request.error ?? new Error("the storage does not open"));
    });
    opened.catch(() => {
      this.opened = null;
    });
    return opened;
  }
}

/** Takes a lock until it is released or the page ends. Without locks nobody can say whose it is: null. */
export function claimLock(
  locks: LockManager | undefined,
  name: string,
  waitMs: number,
): Promise<Release | null> {
  if (!locks) return Promise.resolve(null);
  const patience = new AbortController();
  const options: LockOptions = waitMs > 0 ? { signal: patience.signal } : { ifAvailable: true };
  const timer = setTimeout(() => patience.abort(), waitMs);
  return new Promise((resolve) => {
    locks
      .request(`holodeck.${name}`, options, (lock) => {
        clearTimeout(timer);
        if (lock !== null) return new Promise<void>((release) => resolve(release));
        resolve(null);
        return undefined;
      })
      .catch(() => resolve(null));
  });
}

/** Keeping as this browser can do it. */
export function browserKeeping(): KeepingPorts {
  return {
    store: new IndexedStore(indexedDB),
    claim: (name, waitMs) => claimLock(navigator.locks, name, waitMs),
    newClient: () =>
      [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => (byte % 36).toString(36)).join(""),
    hint: {
      get: (documentId) => quietly(() => sessionStorage.getItem(`holodeck.client.${documentId}`)),
      set: (documentId, client) =>
        quietly(() => sessionStorage.setItem(`holodeck.client.${documentId}`, client)),
    },
  };
}

/** Storage may be denied. */
function quietly<T>(call: () => T): T | null {
  try {
    return call();
  } catch {
    return null;
  }
}
