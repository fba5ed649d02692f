/** Those who listen to a document. */

import type { Commit } from "../wire/generated";
import { Listeners } from "./listeners";
import type { Notice } from "./types";

/** The part of a document that is listened to. */
export class Audience {
  protected readonly changes = new Listeners<ReadonlySet<string>>();
  protected readonly statuses = new Listeners<void>();
  protected readonly noticed = new Listeners<Notice>();
  protected readonly committed = new Listeners<Commit>();

  onChange(listener: (entities: ReadonlySet<string>) => void): () => void {
    return this.changes.add(listener);
  }

  onStatus(listener: () => void): () => void {
    return this.statuses.add(listener);
  }

  onNotice(listener: (notice: Notice) => void): () => void {
    return this.noticed.add(listener);
  }

  onCommit(listener: (commit: Commit) => void): () => void {
    return this.committed.add(listener);
  }
}
