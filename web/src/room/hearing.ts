/** Voice in `window.__holodeck`: what is shown of it, and how loud it is, for tests and the curious. */

import type { RoomVoice, VoiceView } from "../voice/types";

export interface VoiceFigures {
  readonly view: VoiceView;
  /** What is played, left and right, in dBFS; null: silence. */
  readonly output: readonly [number | null, number | null];
  /** The own microphone before its gate. */
  readonly input: number | null;
  /** Each page's voice as it comes in, by peer. */
  readonly levels: Readonly<Record<string, number | null>>;
}

/** Live: each reading asks. */
export function voiceFigures(voice: RoomVoice): VoiceFigures {
  const [left, right] = voice.sound.output();
  const levels = voice.view.people.flatMap(({ peerIds }) =>
    peerIds.map((peerId) => [peerId, loud(voice.level(peerId))] as const),
  );
  return {
    view: voice.view,
    output: [loud(left), loud(right)],
    input: loud(voice.microphone.level()),
    levels: Object.fromEntries(levels),
  };
}

/** JSON has no infinities. */
function loud(db: number): number | null {
  return Number.isFinite(db) ? db : null;
}
