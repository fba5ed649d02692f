/** What an error code means for a connection: try again, take a seat first, or stop asking. */

import type { Code } from "../wire/generated";

export type Verdict = "retry" | "unseated" | "refused";

const REFUSED: ReadonlySet<string> = new Set<Code>([
  "session.unknown",
  "session.ended",
  "session.full",
  "participant.banned",
  "protocol.unsupported",
  "role.insufficient",
  "identity.mismatch",
  "guests.closed",
  "invite.unknown",
  "invite.expired",
  "invite.exhausted",
  "connection.limit",
  "token.missing",
  "token.invalid",
  "token.expired",
]);

export function verdictOf(code: string): Verdict {
  if (code === "participant.not_joined") return "unseated";
  return REFUSED.has(code) ? "refused" : "retry";
}
