/** What a refusal means for the transaction that was refused. */

import type { Code } from "../wire/generated";

/** `again` later as it is; `behind`: read on first; `too_old`: read the document anew; `final`: never. */
export type Meaning = "again" | "behind" | "too_old" | "final";

const AGAIN = new Set<Code | "network">([
  "rate.limited",
  "upstream.unavailable",
  "document.busy",
  "internal",
  "connection.gone",
  "connection.limit",
  "participant.not_joined",
  "token.expired",
  "token.invalid",
  "token.missing",
  "ticket.invalid",
  "ticket.used",
  "network",
]);

/** What to do about a refused submission. */
export function meaningOf(code: Code | "network"): Meaning {
  if (AGAIN.has(code)) return "again";
  if (code === "operation.base_behind_own" || code === "operation.base_ahead") return "behind";
  return code === "operation.base_too_old" ? "too_old" : "final";
}

/** What the server said no with. */
export interface Refusal {
  code: Code;
  message: string;
  retry_after_ms?: number | null;
}
