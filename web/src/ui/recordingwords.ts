/** What is said of recordings: which channel is recorded, whether the own voice is in it, what a list tells of each. Pure. */

import type { VoiceView } from "../voice/types";
import type { ActiveRecording, EmptyBecause, Recording } from "../wire/generated";
import { ago } from "./format";
import { clockText } from "./voicescale";

/** What is told of a recording that is under way. */
export type Recorded = Pick<VoiceView, "channels" | "recording" | "consent" | "own">;
type NameOf = (userId: string) => string;

/** The recorded channel's name: only what is said there is written. */
export function recordedChannel({ channels, recording }: Pick<VoiceView, "channels" | "recording">): string {
  const id = recording?.channel_id;
  return channels.find(({ channel }) => channel.channel_id === id)?.channel.name ?? "another channel";
}

/** Whether what one says is in it; of whoever is elsewhere, or not in voice, it is not. */
export function ownRecordedWords(view: Recorded): string {
  if (view.consent !== "given") return "Your voice is not recorded.";
  const channel = recordedChannel(view);
  const inIt = `Your voice is in it while you are in ${channel}.`;
  return view.own.channelId === view.recording?.channel_id ? inIt : `${inIt} You are not there now.`;
}

/** The whole of what the red dot means. */
export function recordingLabel(view: Recorded, recording: ActiveRecording, nameOf: NameOf): string {
  const by = nameOf(recording.started_by);
  return `The channel ${recordedChannel(view)} is recorded, by ${by}. ${ownRecordedWords(view)}`;
}

/** What the panel says of it: whose, of what, and of whom. Whoever starts one agrees by that: nobody agrees only where that was taken back. */
export function recordingLines(
  view: Recorded,
  recording: ActiveRecording,
  nameOf: NameOf,
  nowMs: number,
): string[] {
  const { started_by, started_at_ms, consented = [] } = recording;
  return [
    `${nameOf(started_by)} started it ${ago(started_at_ms, nowMs)}. Only what those who agreed say in ${recordedChannel(view)} is written.`,
    consented.length > 0
      ? `Agreed: ${consented.map(nameOf).join(", ")}.`
      : "Nobody agrees any more: nothing more is written. What was written before is still in it.",
    ownRecordedWords(view),
  ];
}

/** One of the list in a line. What is under way is counted here, as the red dot does: the list is not read each second. */
export function recordingWords(one: Recording, active: ActiveRecording | null, nowMs: number): string {
  const underWay = one.status === "recording" && active?.recording_id === one.recording_id;
  const lasts = underWay ? nowMs - one.started_at_ms : one.duration_ms;
  return [clockText(lasts), ago(one.started_at_ms, nowMs), stateWords(one)].filter(Boolean).join(" · ");
}

const EMPTY: Record<EmptyBecause, string> = {
  no_node: "it was over before anything was written",
  nobody_spoke: "nothing was said by whoever agreed",
  not_made: "could not be put together",
};

/** What there is to know of one that is not simply there. */
export function stateWords({
  status,
  mix,
  empty_because,
}: Pick<Recording, "status" | "mix" | "empty_because">): string {
  if (status === "recording") return "being recorded";
  if (status === "finishing") return "being put together";
  if (empty_because) return EMPTY[empty_because];
  if (status === "failed") return EMPTY.not_made;
  if (mix === "queued" || mix === "making") return "mix is being made";
  if (mix === "failed") return "mix could not be made";
  return mix === "ready" ? "with mix" : "";
}
