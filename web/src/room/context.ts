/** What the panels of a room may see and do. The room makes one; nothing in it knows WebGL or sockets. */

import type { Roster } from "../presence/roster";
import type { Toasts } from "../ui/toasts";
import type { RoomVoice } from "../voice/types";
import type { Api } from "../wire/api";
import type { Peer, Role, Session } from "../wire/generated";
import type { Connection } from "./connection";

export interface RoomContext {
  readonly api: Api;
  readonly toasts: Toasts;
  readonly sessionId: string;
  readonly roster: Roster;
  readonly connection: Connection;
  readonly voice: RoomVoice;
  session(): Session;
  /** A newer version of the session is known. */
  learn(session: Session): void;
  me(): Peer | null;
  role(): Role;
  /** Goes to somebody's side, or looks at what they point at. */
  visit(userId: string): void;
  lookAtCursor(userId: string): Promise<void>;
  /** The room is over for this page. */
  leave(): void;
}

export type Permission = "edit" | "invite" | "activity" | "manage";

/** The part of the roles' matrix that decides what is offered here; the server decides what is done. */
export function may(role: Role, permission: Permission): boolean {
  if (permission === "manage") return role === "owner";
  if (permission === "invite" || permission === "edit") return role === "owner" || role === "editor";
  return role !== "guest";
}
