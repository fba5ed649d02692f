/**
 * Which channel somebody is in, and whether they may speak there. Pure.
 *
 * Mirrors `channel_at` and `may_speak` of chalicelib/voice/model.py: page, node and functions decide alike, from the same positions;
 * tests/vectors/voice_where.json holds the two together. See docs/voice.md, "Channels, moderation, blocks".
 */

import {
  type ChannelId,
  LIMITS,
  type Role,
  type Vec3,
  type VoiceChannel,
  type VoicePerson,
  type Zone,
} from "../wire/generated";

export const MAIN_ID: ChannelId = "main";

/**
 * The channel of somebody who was put in one, was in one a moment ago (null: nowhere), and stands somewhere.
 *
 * The smallest zone that they stand in; of two of one volume, the one whose id sorts first. Whoever was in a zone's channel stands in it up to
 * VOICE_ZONE_EDGE_M beyond its box. Else where they were put; `main` where there is no such channel any more.
 */
export function channelAt(
  channels: Iterable<VoiceChannel>,
  putId: ChannelId,
  wasId: ChannelId | null,
  position: Vec3 | null,
): ChannelId {
  let chosen = MAIN_ID;
  let least: { volume: number; id: ChannelId } | null = null;
  for (const { channel_id: id, zone } of channels) {
    if (id === putId && !least) chosen = putId;
    if (!zone || !position) continue;
    const edge = id === wasId ? LIMITS.VOICE_ZONE_EDGE_M : 0;
    const volume = volumeOf(zone);
    const smaller = !least || volume < least.volume || (volume === least.volume && id < least.id);
    if (!smaller || !within(zone, position, edge)) continue;
    chosen = id;
    least = { volume, id };
  }
  return chosen;
}

/** Whether what somebody sends is to be heard, in the channel that they are in now. Null: they have not joined. */
export function maySpeak(person: VoicePerson | null, channel: VoiceChannel, role: Role): boolean {
  if (!person || person.muted || person.self_muted) return false;
  if (channel.speakers === "everyone" || role === "owner") return true;
  if (channel.speakers === "editors") return role === "editor";
  return channel.speaker_ids.includes(person.user_id);
}

function within({ least, greatest }: Zone, [x, y, z]: Vec3, edge: number): boolean {
  return (
    least[0] - edge <= x &&
    x <= greatest[0] + edge &&
    least[1] - edge <= y &&
    y <= greatest[1] + edge &&
    least[2] - edge <= z &&
    z <= greatest[2] + edge
  );
}

function volumeOf({ least, greatest }: Zone): number {
  return (greatest[0] - least[0]) * (greatest[1] - least[1]) * (greatest[2] - least[2]);
}
