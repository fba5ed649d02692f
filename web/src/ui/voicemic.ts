/** What the microphone's button does, and says that it does. Pure. */

import type { OwnView } from "../voice/types";

/** `ask`: a moderator muted one, and the hand goes up; `wait`: it is up; `open`: there is no microphone yet. */
export type MicAction = "ask" | "wait" | "open" | "unmute" | "mute" | "hold";

/** `push`: one talks by holding. Whom a moderator muted does not mute themselves unknowingly: they would stay so when they are let speak again. */
export function micAction(own: OwnView, push: boolean): MicAction {
  if (own.muted) return own.handRaisedAtMs === null ? "ask" : "wait";
  if (own.listening) return "open";
  if (own.selfMuted) return "unmute";
  return push ? "hold" : "mute";
}

const LABELS: Record<MicAction, string> = {
  ask: "Raise your hand to ask to speak",
  wait: "Your hand is up: a moderator can let you speak",
  open: "Turn the microphone on",
  unmute: "Unmute",
  mute: "Mute",
  hold: "Hold to speak",
};

const KEYS: Record<MicAction, string> = {
  ask: " (M)",
  wait: "",
  open: " (M)",
  unmute: " (M)",
  mute: " (M)",
  hold: " (B)",
};

/** As it is read out, after how the own voice is; and as it is shown beside the pointer. */
export function micLabels(action: MicAction, state: string): { label: string; title: string } {
  const label = `${LABELS[action]}. ${state}`;
  const why = action === "ask" || action === "wait" ? `${state}. ` : "";
  return { label, title: `${why}${LABELS[action]}${KEYS[action]}` };
}
