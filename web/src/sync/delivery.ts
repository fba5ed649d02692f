/**
 * When to submit, when to fetch, when to wait. Pure: the clock and chance are arguments.
 *
 * Laws: one submission on its way at a time. One that is not answered is in doubt, and so is everything after a
 * reconnect: the log is read on first, and only what is not in it is sent again, with the same seq. Whatever fails is
 * tried again later, ever more seldom.
 */

import { backoffMs } from "../presence/backoff";

const ANSWER_MS = 4000;
const FETCH_MS = 3000;
/** What comes out of order is mostly complete a moment later. */
const GAP_MS = 150;
const DOUBLINGS = 3;
/** Faster than this the committer would only merge what it could have had as one. */
export const SUBMIT_EVERY_MS = 100;

/** What the editor is like now. */
export interface Facts {
  low: number;
  loaded: boolean;
  settled: boolean;
  gap: boolean;
  inFlight: boolean;
  buffered: boolean;
  /** What is in flight is being kept; it is not sent before that. */
  storing: boolean;
}

/** What to do next; `wait` until `atMs`, or until something happens. */
export type Action =
  | { kind: "fetch"; id: string; since: number }
  | { kind: "submit"; id: string }
  | { kind: "cut" }
  | { kind: "wait"; atMs: number | null };

interface Asked {
  id: string;
  expiresAtMs: number;
}

/** What is on its way for one document. */
export class Delivery {
  online = false;
  /** The log has to be read on before anything is sent again. */
  doubt = false;
  head = 0;
  /** The transaction in flight is known to be in the log, though its turn has not come. */
  acknowledged = false;
  private fetching: Asked | null = null;
  private fetchAtMs = 0;
  private fetchFailures = 0;
  private noticedAtMs: number | null = null;
  private submitted: Asked | null = null;
  private submitAtMs = 0;
  private failures = 0;
  private count = 0;
  private everyMs = SUBMIT_EVERY_MS;

  constructor(
    private readonly prefix: string,
    private readonly random: () => number,
  ) {}

  /** Entered the room, anew or again: what was on its way may be lost. */
  connected(everyMs = SUBMIT_EVERY_MS): void {
    this.everyMs = everyMs;
    this.online = true;
    this.doubt = true;
    this.fetching = null;
    this.submitted = null;
    this.fetchAtMs = 0;
    this.submitAtMs = 0;
    this.fetchFailures = 0;
    this.failures = 0;
  }

  /** What to do now. Fetching and submitting count as done. */
  poll(now: number, facts: Facts): Action {
    if (!this.online || !facts.loaded) return { kind: "wait", atMs: null };
    this.expire(now);
    const fetchDue = this.fetchDue(now, facts);
    if (fetchDue !== null && now >= fetchDue) {
      const id = this.name("f");
      this.fetching = { id, expiresAtMs: now + this.patience(FETCH_MS, this.fetchFailures) };
      return { kind: "fetch", id, since: facts.low };
    }
    const submitDue = this.submitDue(facts);
    if (submitDue !== null && now >= submitDue) {
      if (!facts.inFlight) return { kind: "cut" };
      const id = this.name("s");
      this.submitted = { id, expiresAtMs: now + this.patience(ANSWER_MS, this.failures) };
      this.submitAtMs = now + this.everyMs;
      return { kind: "submit", id };
    }
    const times = [fetchDue, submitDue, this.fetching?.expiresAtMs, this.submitted?.expiresAtMs];
    const atMs = Math.min(...times.map((time) => time ?? Number.POSITIVE_INFINITY));
    return { kind: "wait", atMs: Number.isFinite(atMs) ? atMs : null };
  }

  /** `doc.commits` came, and all of it that fits was taken: `low` is where that led. */
  fetched(id: string | null, head: number, low: number, empty: boolean, now: number): void {
    this.head = Math.max(this.head, head);
    if (this.fetching === null || (id !== null && id !== this.fetching.id)) return;
    this.fetching = null;
    if (low >= head) {
      this.doubt = false;
      this.fetchFailures = 0;
      this.fetchAtMs = now + GAP_MS; // where a newer head is known, this answer was not up to it
    } else if (empty) this.fetchFailed(now, 0);
    else {
      this.fetchFailures = 0;
      this.fetchAtMs = now;
    }
  }

  /** The transaction in flight left it: committed or refused. */
  done(): void {
    this.submitted = null;
    this.acknowledged = false;
    this.failures = 0;
  }

  /** Which request that was, if it is one that waits for its answer. */
  asked(id: string | null | undefined): "fetch" | "submit" | null {
    if (id && id === this.fetching?.id) return "fetch";
    return id && id === this.submitted?.id ? "submit" : null;
  }

  /** The fetch was refused, but may be served later. */
  fetchFailed(now: number, retryAfterMs: number): void {
    this.fetching = null;
    this.fetchFailures += 1;
    this.fetchAtMs = now + backoffMs(this.fetchFailures, this.random(), retryAfterMs);
  }

  /** The submission was refused, but may be served later. Returns how often in a row. */
  submitFailed(now: number, retryAfterMs: number, readOn: boolean): number {
    this.submitted = null;
    this.failures += 1;
    if (readOn) this.doubt = true;
    const soon = readOn && this.failures === 1;
    this.submitAtMs = soon ? now : now + backoffMs(this.failures, this.random(), retryAfterMs);
    return this.failures;
  }

  private expire(now: number): void {
    if (this.fetching && now >= this.fetching.expiresAtMs) {
      this.fetching = null;
      this.fetchFailures += 1;
      this.fetchAtMs = now;
    }
    if (this.submitted && now >= this.submitted.expiresAtMs) {
      this.submitted = null;
      this.failures += 1;
      this.doubt = true;
    }
  }

  private fetchDue(now: number, { low, settled, gap }: Facts): number | null {
    const certain = this.doubt || !settled;
    if (!certain && !gap && low >= this.head) {
      this.noticedAtMs = null;
      return null;
    }
    this.noticedAtMs ??= now + GAP_MS * (0.5 + this.random());
    if (this.fetching) return null;
    return certain ? this.fetchAtMs : Math.max(this.fetchAtMs, this.noticedAtMs);
  }

  private submitDue({ settled, inFlight, buffered, storing }: Facts): number | null {
    const blocked = this.doubt || !settled || storing || this.submitted !== null || this.acknowledged;
    return blocked || !(inFlight || buffered) ? null : this.submitAtMs;
  }

  private patience(ms: number, failures: number): number {
    return ms * 2 ** Math.min(failures, DOUBLINGS) * (1 + 0.25 * this.random());
  }

  private name(kind: string): string {
    this.count += 1;
    return `${this.prefix}.${kind}${this.count}`;
  }
}
