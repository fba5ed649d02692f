/** Pointing by REST: where somebody points, and where one points oneself while there is no connection. */

import type { Toasts } from "../ui/toasts";
import type { Api } from "../wire/api";
import type { Vec3 } from "../wire/generated";

export class Pointing {
  constructor(
    private readonly api: Api,
    private readonly sessionId: string,
    private readonly toasts: Toasts,
  ) {}

  /** What a person points at now; null, and said so, where that is nothing. */
  async of(userId: string): Promise<Vec3 | null> {
    try {
      const { cursors } = await this.api.cursors(this.sessionId);
      const cursor = cursors.find((candidate) => candidate.user_id === userId);
      if (!cursor) this.toasts.show("They do not point at anything now.");
      return cursor?.position ?? null;
    } catch (thrown) {
      this.toasts.problem(thrown, "Their cursor could not be found.");
      return null;
    }
  }

  async tell(position: Vec3, target: string | null): Promise<void> {
    try {
      await this.api.updateCursor(this.sessionId, { position, target });
    } catch (thrown) {
      this.toasts.problem(thrown, "The others do not see where you point.");
    }
  }
}
