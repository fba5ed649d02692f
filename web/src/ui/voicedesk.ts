/** What the parts of voice's interface share: the room, the voice, who people are, and how a refusal is told. */

import type { RoomContext } from "../room/context";
import type { RoomVoice } from "../voice/types";
import type { Vec3 } from "../wire/generated";
import { PALETTE } from "./person";
import type { Beat } from "./voicemeter";

/** Somebody, as lists show them. */
export interface Face {
  name: string;
  color: string;
}

/** Made once a room. */
export interface VoiceDesk {
  readonly room: RoomContext;
  readonly voice: RoomVoice;
  readonly beat: Beat;
  /** A person's name, who may have left. */
  nameOf(userId: string): string;
  /** Where this page's person stands; null before there is a world. */
  position(): Vec3 | null;
  /** Shows the panel at one of its pages. */
  open(page: string): void;
}

/** Somebody's name and colour, by user id. */
export function faceOf({ room, nameOf }: VoiceDesk, userId: string): Face {
  for (const { peer } of room.roster.members.values())
    if (peer.user_id === userId) return { name: peer.name, color: peer.color };
  return { name: nameOf(userId), color: PALETTE[6] };
}

/** Waits for something that the server may refuse; then says what stays as it was, and why. True where it was done. */
export async function tried(desk: VoiceDesk, work: Promise<unknown>, still: string): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (thrown) {
    desk.room.toasts.problem(thrown, still);
    return false;
  }
}
