/** What the presence engine needs from the world; the browser gives it, tests give their own. */

import type { Ticket } from "../wire/generated";

export interface SocketLike {
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

export interface Ports {
  now(): number;
  /** In [0, 1). */
  random(): number;
  /** Calls back after that many ms; the result cancels. */
  after(ms: number, call: () => void): () => void;
  socket(url: string): SocketLike;
  /** A fresh single-use ticket; rejects with something that has a `code`. */
  ticket(): Promise<Ticket>;
  /** Takes the seat again; rejects with something that has a `code`. */
  join(): Promise<unknown>;
}

/** The code and advice of whatever was thrown. */
export function problemOf(thrown: unknown): { code: string; message: string; retryAfterMs: number } {
  if (thrown && typeof thrown === "object" && "code" in thrown) {
    const { code, message, retryAfterMs } = thrown as {
      code: unknown;
      message?: unknown;
      retryAfterMs?: unknown;
    };
    return {
      code: String(code),
      message: typeof message === "string" ? message : "",
      retryAfterMs: typeof retryAfterMs === "number" ? retryAfterMs : 0,
    };
  }
  return { code: "network", message: "", retryAfterMs: 0 };
}
