/** Makes this page one that can be offered to, and tries until it is; what refuses for good leaves it to the WebSocket. */

import { backoffMs } from "../presence/backoff";
import { problemOf } from "../presence/ports";
import { verdictOf } from "../presence/verdict";
import type { WebRtcSession } from "../wire/generated";
import type { PlaneRoutes, RtcPorts } from "./ports";

const ATTEMPTS_MAX = 8;

export class Enrolment {
  private opened = false;
  private attempt = 0;
  private cancel: () => void = () => {};

  constructor(
    private readonly ports: Pick<RtcPorts, "random" | "after">,
    private readonly routes: PlaneRoutes,
    private readonly onSession: (session: WebRtcSession) => void,
  ) {}

  /** At every entering of the room: the row there may be new. */
  start(): void {
    this.stop();
    void this.run(this.attempt, 0);
  }

  stop(): void {
    this.attempt += 1;
    this.cancel();
  }

  private async run(attempt: number, failures: number): Promise<void> {
    try {
      if (!this.opened) await this.routes.open();
      this.opened = true;
      const session = await this.routes.join();
      if (attempt === this.attempt) this.onSession(session);
    } catch (thrown) {
      if (attempt !== this.attempt) return;
      const { code, retryAfterMs } = problemOf(thrown);
      if (verdictOf(code) === "refused" || failures >= ATTEMPTS_MAX) return;
      const pause = backoffMs(failures + 1, this.ports.random(), retryAfterMs);
      this.cancel = this.ports.after(pause, () => void this.run(attempt, failures + 1));
    }
  }
}
