/** How one hears and speaks: devices, processing, talking, and how everybody else sounds. Remembered on this device. */

import type { SoundMode } from "../voice/types";
import { fill, h } from "./dom";
import type { VoiceDesk } from "./voicedesk";
import { liveSlider, segmentsField, switchField } from "./voicefields";
import { VoiceSetup } from "./voicesetup";

const MODE: Record<SoundMode, string> = {
  hrtf: "From all around, by headphones.",
  stereo: "Left and right, by loudspeakers too.",
  mono: "The same on both sides, nearer is louder.",
};

export class VoiceSoundPage {
  readonly element = h("div", { class: "panel-page", testid: "voice-sound" });
  private readonly setup: VoiceSetup;
  private readonly master;
  private readonly mode;
  private readonly equal;
  private readonly headphones;

  constructor(private readonly desk: VoiceDesk) {
    const { voice, beat } = desk;
    this.setup = new VoiceSetup(voice, beat);
    this.master = liveSlider(
      "Loudness of all voices",
      "voice-master",
      [0, 100, 1],
      (value) => `${value} %`,
      (value) => voice.settings({ master: value / 100 }),
    );
    this.mode = segmentsField<SoundMode>(
      "Direction",
      "voice-output-mode",
      [
        { value: "hrtf", label: "3D" },
        { value: "stereo", label: "Stereo" },
        { value: "mono", label: "Mono" },
      ],
      (mode) => voice.settings({ mode }),
      (mode) => MODE[mode],
    );
    this.equal = switchField(
      "Hear everyone equally",
      "voice-equal",
      (equal) => voice.settings({ equal }),
      "No distance, no direction.",
    );
    this.headphones = switchField(
      "I wear headphones",
      "voice-headphones",
      (headphones) => voice.settings({ headphones }),
      "Voices come the short way, for your microphone does not hear them.",
    );
    fill(
      this.element,
      h(
        "section",
        { class: "stack" },
        h("h3", {}, "What you hear"),
        this.master.element,
        this.mode.element,
        this.equal.element,
        this.headphones.element,
        this.setup.speaker,
      ),
      h("section", { class: "stack" }, h("h3", {}, "How you talk"), this.setup.talking),
      h("section", { class: "stack" }, h("h3", {}, "Your microphone"), this.setup.microphone),
    );
  }

  /** Shown. */
  open(): void {
    this.setup.open();
    this.render();
  }

  /** Not shown any more. */
  close(): void {
    this.setup.close();
  }

  render(): void {
    const { settings } = this.desk.voice.view;
    this.master.show(Math.round(settings.master * 100), true);
    this.mode.show(settings.mode, !settings.equal);
    this.equal.show(settings.equal, true);
    this.headphones.show(settings.headphones, true);
  }
}
