/** The microphone's test: so many seconds are recorded as the others would hear them, then played. */

import type { RoomVoice } from "../voice/types";
import { button, fill, h } from "./dom";
import { icon } from "./icons";

const RECORD_MS = 3000;
const SOURCE = "play:test";
const PLAIN = { model: "inverse", reference_m: 1, rolloff: 1, max_m: 1000 } as const;

/** The button, and what it says. */
export class VoiceTest {
  readonly button: HTMLButtonElement;
  readonly said = h("p", { class: "hint", testid: "voice-test-said", attrs: { role: "status" } });
  private stage: "idle" | "recording" | "playing" = "idle";
  private playing: AudioBufferSourceNode | null = null;
  private round = 0;
  private live = false;

  constructor(private readonly voice: RoomVoice) {
    this.button = button("", () => void this.pressed(), { class: "small", testid: "voice-test" });
    this.tell("idle", "");
  }

  /** Whether there is something to be recorded. */
  show(live: boolean): void {
    this.live = live;
    this.button.disabled = this.stage === "recording" || (!live && this.stage === "idle");
  }

  /** At once, whatever it does. */
  stop(): void {
    this.round += 1;
    this.playing?.stop();
    this.playing = null;
    this.voice.sound.feed(SOURCE, null);
    this.tell("idle", "");
  }

  private async pressed(): Promise<void> {
    if (this.stage !== "idle") return this.stop();
    const { microphone, sound } = this.voice;
    this.round += 1;
    const { round } = this;
    this.tell("recording", "Say something. It is played to you afterwards.");
    await sound.start();
    const heard = await microphone.test(RECORD_MS);
    if (round !== this.round) return;
    const context = sound.context();
    if (!heard || !context) return this.tell("idle", "Nothing could be recorded.");
    this.tell("playing", "This is how the others hear you.");
    const node = context.createBufferSource();
    node.buffer = heard;
    node.addEventListener("ended", () => {
      if (round === this.round) this.stop();
    });
    sound.feed(SOURCE, node);
    sound.place(SOURCE, { who: null, position: null, distance: PLAIN, kind: "stage", gain: 1 });
    node.start();
    this.playing = node;
  }

  private tell(stage: "idle" | "recording" | "playing", words: string): void {
    this.stage = stage;
    const [drawn, label] = {
      idle: ["mic", "Test"] as const,
      recording: ["record", "Recording"] as const,
      playing: ["stop", "Stop"] as const,
    }[stage];
    fill(this.button, icon(drawn, 16), h("span", {}, label));
    this.button.dataset.stage = stage;
    this.said.textContent = words;
    this.said.hidden = words === "";
    this.show(this.live);
  }
}
