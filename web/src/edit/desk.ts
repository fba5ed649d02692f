/** What the panels of editing see of it. The editor is the real one; a test may give its own. */

import type { SceneDocument } from "../sync/types";
import type { HistoryPage, Milestone, MilestoneList, Operation, Peer, Snapshot } from "../wire/generated";
import type { Kind } from "./kinds";
import type { Selection } from "./selection";
import type { Command } from "./shortcuts";
import type { View } from "./tree";

/** What the history panel asks the service for. */
export interface HistoryPorts {
  /** Revisions, newest first; before that one if it is given. */
  history(before: number | null): Promise<HistoryPage>;
  stateAt(revision: number): Promise<Snapshot>;
  /** The revisions that have names, newest first. */
  milestones(): Promise<MilestoneList>;
  name(name: string, revision: number): Promise<Milestone>;
  /** Brings that revision's state back, by new revisions. */
  restore(revision: number): Promise<void>;
}

/** Who has locked what. */
export interface LockBook {
  /** The user who holds it; null where nobody does. */
  holder(entity: string): string | null;
  acquire(entity: string): Promise<void>;
  release(entity: string): Promise<void>;
  onChange(listener: () => void): () => void;
}

/** Somebody, as shown beside what they do. */
export interface Somebody {
  readonly name: string;
  readonly color: string;
}

/** The table that the scene lies on. */
export interface Desk {
  readonly document: SceneDocument;
  /** What is shown: the document's view, or a past one. */
  readonly view: View;
  /** The revision that is shown instead of the present; null for the present. */
  readonly past: number | null;
  readonly selection: Selection;
  readonly locks: LockBook | null;
  /** Whether the role allows it, and the present is shown. */
  canEdit(): boolean;
  /** Who else holds a lock on it; null where one may edit it. */
  lockedBy(entity: string): string | null;
  you(): Peer | null;
  peopleName(userId: string): string;
  /** Who else has selected it. */
  others(entity: string): readonly Somebody[];
  /** Edits; false where the document refused, and then the person was told. */
  edit(operations: readonly Operation[]): boolean;
  add(kind: Kind): void;
  run(command: Command): void;
}
