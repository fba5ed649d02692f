/** Tells a person what became of their edits: who overrode what, with the lost value to be brought back. */

import type { World } from "../room/world";
import type { Notice } from "../sync/types";
import type { Toasts } from "../ui/toasts";
import type { Desk } from "./desk";
import { overriddenWords, rejectedWords } from "./words";

/** Shows a document's notices as toasts. */
export class Notices {
  /** Stops listening. */
  readonly stop: () => void;

  constructor(
    private readonly desk: Desk,
    private readonly toasts: Toasts,
    private readonly world: World,
  ) {
    this.stop = desk.document.onNotice((notice) => this.tell(notice));
  }

  private tell(notice: Notice): void {
    if (notice.kind === "rejected") this.rejected(notice);
    else this.overridden(notice);
  }

  private overridden(notice: Extract<Notice, { kind: "overridden" }>): void {
    const who = this.desk.peopleName(notice.by);
    const words = overriddenWords(notice, this.desk.document.entities, who);
    const { lost } = notice;
    const color = this.desk.others(notice.entity).find(({ name }) => name === who)?.color;
    this.toasts.show(words, {
      ...(color ? { color } : {}),
      ...(lost
        ? {
            action: {
              label: "Use mine",
              run: () => {
                if (this.desk.edit([lost])) this.world.selection.set([notice.entity]);
              },
            },
          }
        : {}),
    });
  }

  private rejected(notice: Extract<Notice, { kind: "rejected" }>): void {
    const { code, operations } = notice;
    const locked = operations.find(({ id }) => this.desk.lockedBy(id) !== null)?.id;
    const holder = locked === undefined ? null : this.desk.lockedBy(locked);
    const who = holder === null ? null : this.desk.peopleName(holder);
    this.toasts.show(rejectedWords(notice, this.desk.document.entities, locked ?? null, who), {
      tone: "bad",
      detail: code,
      action: {
        label: "Copy my change",
        run: () => void navigator.clipboard?.writeText(JSON.stringify(operations, null, 2)),
      },
    });
  }
}
