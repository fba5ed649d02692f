/**
 * What the room and its tools know of a shared document. `document.ts` is the real one.
 *
 * The view is optimistic: what is confirmed, and on top of it what was edited here and is not acknowledged yet.
 */

import type { Entity } from "../ot/state";
import type { Commit, Operation } from "../wire/generated";

export type SyncState = "loading" | "synced" | "saving" | "offline";

/** Something that the person should know. */
export type Notice =
  /** One's own value was overridden by somebody else's later one. `lost` brings it back as an edit. */
  | { kind: "overridden"; by: string; entity: string; register: readonly string[]; lost: Operation | null }
  /** The server refused a transaction; it is kept in `operations`. */
  | { kind: "rejected"; code: string; message: string; operations: readonly Operation[] };

/** What an undo or redo did. `skipped` says why a part was left alone: somebody else has written there since. */
export interface Reverted {
  done: boolean;
  entities: readonly string[];
  skipped: readonly { entity: string; register: readonly string[] }[];
}

export interface SceneDocument {
  readonly documentId: string;
  readonly state: SyncState;
  /** The newest revision that is known here. */
  readonly revision: number;
  /** Transactions that are not acknowledged yet. */
  readonly unsynced: number;
  /** Operations in them: what a person would call changes. */
  readonly waiting: number;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  /** The view: tombstones included (`alive` false). The same map object for ever; its entities are immutable. */
  readonly entities: ReadonlyMap<string, Entity>;
  /** An id that nobody else makes. */
  newId(): string;
  /** Takes effect at once, and is sent. Throws InvalidOperation, and then nothing happened. */
  edit(operations: readonly Operation[]): void;
  undo(): Reverted;
  redo(): Reverted;
  /** After every change of the view, with the entities that changed. Returns how to stop. */
  onChange(listener: (entities: ReadonlySet<string>) => void): () => void;
  /** After every change of `state`, `revision`, `unsynced`, `canUndo` or `canRedo`. */
  onStatus(listener: () => void): () => void;
  onNotice(listener: (notice: Notice) => void): () => void;
  /** Every commit, one's own too, in order. */
  onCommit(listener: (commit: Commit) => void): () => void;
}
