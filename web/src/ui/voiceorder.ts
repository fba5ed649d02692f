/** In which order people are shown, and what their avatars carry. Pure. */

import type { Sign } from "../scene/label";
import type { ZoneMark } from "../scene/zones";
import type { VoiceView } from "../voice/types";

/** A hand that is up. */
export interface HandUp {
  userId: string;
  atMs: number;
  own: boolean;
}

/** All hands that are up, one's own too: who raised it first is first. */
export function handsOf({ people, own }: Pick<VoiceView, "people" | "own">): HandUp[] {
  const hands: HandUp[] = [];
  for (const { userId, handRaisedAtMs } of people)
    if (handRaisedAtMs !== null) hands.push({ userId, atMs: handRaisedAtMs, own: false });
  if (own.handRaisedAtMs !== null) hands.push({ userId: own.userId, atMs: own.handRaisedAtMs, own: true });
  return hands.sort((a, b) => a.atMs - b.atMs || (a.userId < b.userId ? -1 : 1));
}

/** What the name of each page's avatar carries, by peer id; who is not in it carries nothing. */
export function signsOf({ people }: Pick<VoiceView, "people">): Map<string, readonly Sign[]> {
  const signs = new Map<string, readonly Sign[]>();
  for (const { peerIds, handRaisedAtMs, muted, selfMuted, blocked } of people) {
    const of: Sign[] = [];
    if (handRaisedAtMs !== null) of.push("hand");
    if (muted || selfMuted || blocked) of.push("micOff");
    if (of.length > 0) for (const peerId of peerIds) signs.set(peerId, of);
  }
  return signs;
}

/** The areas that whoever is in voice sees on the floor. */
export function zonesOf({ status, channels }: Pick<VoiceView, "status" | "channels">): ZoneMark[] {
  if (status.kind !== "joined") return [];
  return channels.flatMap(({ channel: { name, zone }, current }) =>
    zone ? [{ name, least: zone.least, greatest: zone.greatest, here: current }] : [],
  );
}
