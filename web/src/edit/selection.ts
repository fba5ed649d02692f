/** What a person has selected, in the order of selecting; the last one is the one that matters most. */

import { LIMITS } from "../wire/generated";

/** An ordered set of ids that tells when it changes. */
export class Selection {
  private chosen: string[] = [];
  private readonly listeners = new Set<() => void>();

  /** All of them, the main one last. */
  get ids(): readonly string[] {
    return this.chosen;
  }

  /** The one whose properties are shown; null where nothing is selected. */
  get main(): string | null {
    return this.chosen.at(-1) ?? null;
  }

  has(id: string): boolean {
    return this.chosen.includes(id);
  }

  /** Exactly these. No more than presence can tell. */
  set(ids: readonly string[]): void {
    const next = [...new Set(ids)].slice(-LIMITS.SELECTION_MAX);
    if (next.length === this.chosen.length && next.every((id, at) => id === this.chosen[at])) return;
    this.chosen = next;
    for (const listener of [...this.listeners]) listener();
  }

  /** This one besides the others, or no longer. */
  toggle(id: string): void {
    this.set(this.has(id) ? this.chosen.filter((other) => other !== id) : [...this.chosen, id]);
  }

  /** Without those that are not `there`. */
  keep(there: (id: string) => boolean): void {
    this.set(this.chosen.filter(there));
  }

  /** After every change. Returns how to stop. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
