/** A recording's timeline, read: who speaks when, and where they stand then. Pure. Times are ms after the recording's start. */

import type { PeerId, TimelineEvent, Vec3 } from "../wire/generated";

interface Page {
  /** Pairs of when it begins to speak and when it falls silent, in order. */
  spans: [number, number][];
  places: [number, Vec3][];
}

export class Timeline {
  private readonly pages = new Map<PeerId, Page>();

  /** `lines`: JSON, an event each, by time. A line that is none is left out. */
  constructor(lines: string) {
    for (const line of lines.split("\n")) {
      const event = read(line);
      if (event) this.add(event);
    }
  }

  /** Whether a page speaks at any moment of a stretch. */
  speaks(peerId: PeerId, fromMs: number, toMs: number): boolean {
    const spans = this.pages.get(peerId)?.spans ?? [];
    const at = after(spans, toMs) - 1;
    return at >= 0 && (spans[at]?.[1] ?? 0) > fromMs;
  }

  /** Where a page stands at a moment; where it is first seen, before that; null: nobody knows. */
  place(peerId: PeerId, atMs: number): Vec3 | null {
    const places = this.pages.get(peerId)?.places ?? [];
    return places[Math.max(0, after(places, atMs) - 1)]?.[1] ?? null;
  }

  private add({ at_ms, peer_id, event, position }: TimelineEvent): void {
    let page = this.pages.get(peer_id);
    if (!page) {
      page = { spans: [], places: [] };
      this.pages.set(peer_id, page);
    }
    const last = page.spans.at(-1);
    if (event === "speaks") page.spans.push([at_ms, Number.POSITIVE_INFINITY]);
    else if (event === "silent" && last) last[1] = at_ms;
    if (position) page.places.push([at_ms, position]);
  }
}

/** How many of what is in order begin by then. */
function after(entries: readonly [number, unknown][], atMs: number): number {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((entries[middle]?.[0] ?? 0) <= atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

function read(line: string): TimelineEvent | null {
  try {
    const event: unknown = JSON.parse(line);
    return isEvent(event) ? event : null;
  } catch {
    return null;
  }
}

function isEvent(event: unknown): event is TimelineEvent {
  if (typeof event !== "object" || event === null) return false;
  const { at_ms, peer_id, event: kind, position } = event as Record<string, unknown>;
  const placed = position === undefined || position === null || isPlace(position);
  return typeof at_ms === "number" && typeof peer_id === "string" && typeof kind === "string" && placed;
}

function isPlace(place: unknown): place is Vec3 {
  return Array.isArray(place) && place.length === 3 && place.every(Number.isFinite);
}
