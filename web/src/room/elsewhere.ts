/** Messages that a room itself has nothing to do with: another of its parts takes them, or they are a media node's. */

import type { ServerMessage } from "../wire/generated";

const TYPES = [
  "room.state",
  "pong",
  "session.ended",
  "op.ack",
  "op.committed",
  "op.rejected",
  "doc.commits",
  "peer.offer",
  "peer.answer",
  "peer.candidate",
  "peer.bye",
  "peer.restart",
  "relay.changed",
  "relay.roster",
  "voice.changed",
  "voice.slots",
  "voice.speaking",
  "voice.mix",
  "node.state",
] as const satisfies readonly ServerMessage["type"][];

type Elsewhere = Extract<ServerMessage, { type: (typeof TYPES)[number] }>;

const ALL: ReadonlySet<string> = new Set(TYPES);

export function isElsewhere(message: ServerMessage): message is Elsewhere {
  return ALL.has(message.type);
}
