/**
 * What a tab keeps of a room over a reload: where one stood (otherwise one starts at the entrance), and the epoch of its
 * states, for a reload is the same peer, and whoever is there takes nothing that is older than what they know.
 */

import { EYE_M } from "../scene/figure";
import type { Vec3 } from "../wire/generated";

export class Place {
  private readonly key: string;
  private readonly epochKey: string;

  constructor(
    private readonly shelf: Storage,
    sessionId: string,
  ) {
    this.key = `holodeck.place.${sessionId}`;
    this.epochKey = `holodeck.epoch.${sessionId}`;
  }

  /** Of the states of this load: what the clock says, but greater than that of any load before, for clocks are set back. */
  epoch(nowMs: number): number {
    let epoch = nowMs;
    try {
      const next = Number(this.shelf.getItem(this.epochKey)) + 1;
      if (Number.isSafeInteger(next)) epoch = Math.max(nowMs, next);
      this.shelf.setItem(this.epochKey, String(epoch));
    } catch {
      // Denied: the tab has a new id with every load.
    }
    return epoch;
  }

  /** Where one stood; otherwise somewhere on the southern side, where `random` (0 to 1) says. */
  start(random: () => number): Vec3 {
    try {
      const kept: unknown = JSON.parse(this.shelf.getItem(this.key) ?? "null");
      if (Array.isArray(kept) && kept.length === 3 && kept.every((v) => Number.isFinite(v))) {
        return [Number(kept[0]), Number(kept[1]), Number(kept[2])];
      }
    } catch {
      // Denied, or not ours: as if nothing was kept.
    }
    const angle = Math.PI / 2 + (random() - 0.5) * 1.1;
    const away = 12.6 + random() * 2.4;
    return [Math.cos(angle) * away, EYE_M, Math.sin(angle) * away];
  }

  keep(position: Vec3): void {
    try {
      this.shelf.setItem(this.key, JSON.stringify(position));
    } catch {
      // Denied: the next load starts at the entrance.
    }
  }
}
