/**
 * When the own voice goes out. A machine of values: loudness, the key and settings go in, with the time; the gate comes out.
 *
 *     state    open mic         push to talk                    voice activation
 *     closed   muted            muted, or not held              muted, or silent
 *     open     not muted        held                            at or above the threshold
 *     hanging  -                let go less than RELEASE_MS ago  below it (by the hysteresis) for less than hangMs
 *
 * From closed to open at once, in each mode: a word's beginning is not to be lost. Muting closes at once, too. `speaking` is the gate, and a
 * voice behind it: an open microphone in a quiet room does not speak.
 */

import type { Talking } from "./types";

/** What is let go of push to talk goes on so long: fingers are faster than words' ends. */
export const RELEASE_MS = 200;
/** Once it is speech, it stays speech down to so much below the threshold. */
export const HYSTERESIS_DB = 6;
/** In open mic and push to talk the threshold decides nothing but what others see: never more than this is asked. */
export const SPEECH_DB = -50;
/** So long after the last speech one is still seen speaking: syllables have gaps. */
export const SPEECH_HANG_MS = 250;

export type Gate = "closed" | "open" | "hanging";

export class TalkingGate {
  private loudUntilMs = Number.NEGATIVE_INFINITY;
  private loud = false;
  private heldUntilMs = Number.NEGATIVE_INFINITY;
  private holding = false;
  private quiet = false;

  constructor(private rules: Talking) {}

  get held(): boolean {
    return this.holding;
  }

  change(rules: Talking): void {
    this.rules = rules;
  }

  /** Self mute. */
  mute(muted: boolean): void {
    this.quiet = muted;
    if (muted) this.heldUntilMs = Number.NEGATIVE_INFINITY;
  }

  hold(held: boolean, atMs: number): void {
    if (this.holding && !held) this.heldUntilMs = atMs + RELEASE_MS;
    this.holding = held;
  }

  /** One block's loudness before the gate, in dBFS. */
  hear(levelDb: number, atMs: number): void {
    const threshold = this.threshold - (this.loud ? HYSTERESIS_DB : 0);
    this.loud = levelDb >= threshold;
    if (this.loud) this.loudUntilMs = atMs + this.hangMs;
  }

  gate(atMs: number): Gate {
    if (this.quiet) return "closed";
    switch (this.rules.mode) {
      case "open":
        return "open";
      case "push":
        if (this.holding) return "open";
        return atMs < this.heldUntilMs ? "hanging" : "closed";
      case "activation":
        if (this.loud) return "open";
        return atMs < this.loudUntilMs ? "hanging" : "closed";
    }
  }

  speaking(atMs: number): boolean {
    return this.gate(atMs) !== "closed" && (this.loud || atMs < this.loudUntilMs);
  }

  private get threshold(): number {
    const { mode, thresholdDb } = this.rules;
    return mode === "activation" ? thresholdDb : Math.min(thresholdDb, SPEECH_DB);
  }

  private get hangMs(): number {
    return this.rules.mode === "activation" ? this.rules.hangMs : SPEECH_HANG_MS;
  }
}
