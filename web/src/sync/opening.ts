/** Reads a document's newest state, and tries until it has it. */

import { backoffMs } from "../presence/backoff";
import type { Snapshot } from "../wire/generated";

/** What reading needs from the world. */
export interface OpeningPorts {
  random(): number;
  after(ms: number, call: () => void): () => void;
  snapshot(): Promise<Snapshot>;
}

/** One document's reading. A later `start` makes an earlier one void. */
export class Opening {
  private turn = 0;
  private failures = 0;
  private cancel: () => void = () => {};

  constructor(
    private readonly ports: OpeningPorts,
    private readonly onSnapshot: (snapshot: Snapshot, force: boolean) => void,
    /** It is too much for one answer; the log has all of it. True where that will do. */
    private readonly onTooLarge: () => boolean,
  ) {}

  /** `force`: it counts even if it is older than what is known. */
  start(force: boolean): void {
    this.stop();
    const { turn } = this;
    this.ports.snapshot().then(
      (snapshot) => {
        if (turn !== this.turn) return;
        this.failures = 0;
        this.onSnapshot(snapshot, force);
      },
      (thrown: unknown) => {
        if (turn !== this.turn) return;
        const code = thrown && typeof thrown === "object" && "code" in thrown ? String(thrown.code) : "";
        if (code === "document.too_large" && this.onTooLarge()) return;
        this.failures += 1;
        const pause = backoffMs(this.failures, this.ports.random());
        this.cancel = this.ports.after(pause, () => this.start(force));
      },
    );
  }

  /** What is on its way does not count any more. */
  stop(): void {
    this.turn += 1;
    this.cancel();
  }
}
