/** Microphone, speaker and way of talking: the same controls before joining and in the panel, with a live meter and a test. */

import { HANG_MS, THRESHOLD_DB } from "../voice/settings";
import type {
  Device,
  MicrophoneState,
  NoiseSuppression,
  RoomVoice,
  TalkingMode,
  VoiceSettings,
} from "../voice/types";
import { busy, button, fill, h } from "./dom";
import { choiceField } from "./fields";
import { icon } from "./icons";
import { liveSlider, segmentsField, switchField } from "./voicefields";
import { type Beat, Meter } from "./voicemeter";
import { METER_DB } from "./voicescale";
import { VoiceTest } from "./voicetest";
import { microphoneTrouble } from "./voicewords";

const TALKING: Record<TalkingMode, string> = {
  open: "Whatever you say is heard.",
  push: "You are heard while you hold B, or the microphone button.",
  activation: "You are heard while you are louder than the mark on the meter.",
};

/** All controls of the own voice. */
export class VoiceSetup {
  readonly microphone: HTMLElement;
  readonly speaker: HTMLElement;
  readonly talking: HTMLElement;
  private readonly meter = new Meter("Microphone level");
  private readonly trouble = h("div", {
    class: "voice-trouble",
    testid: "voice-trouble",
    attrs: { role: "status" },
  });
  private readonly test: VoiceTest;
  private readonly input = choiceField("Microphone", "voice-input", (id) =>
    this.set({ deviceId: id || null }),
  );
  private readonly output = choiceField("Speaker", "voice-output", (id) =>
    this.set({ outputId: id || null }),
  );
  private readonly echo = switchField("Echo cancellation", "voice-echo", (echo) => this.process({ echo }));
  private readonly gain = switchField("Even out loudness", "voice-gain", (gain) => this.process({ gain }));
  private readonly noise = segmentsField<NoiseSuppression>(
    "Noise suppression",
    "voice-noise",
    [
      { value: "off", label: "Off" },
      { value: "browser", label: "Browser" },
      { value: "rnnoise", label: "Strong" },
    ],
    (noise) => this.process({ noise }),
  );
  private readonly mode = segmentsField<TalkingMode>(
    "Talking",
    "voice-mode",
    [
      { value: "open", label: "Open" },
      { value: "push", label: "Hold to talk" },
      { value: "activation", label: "By voice" },
    ],
    (mode) => this.talk({ mode }),
    (mode) => TALKING[mode],
  );
  private readonly threshold = liveSlider(
    "Heard from",
    "voice-threshold",
    [-METER_DB, THRESHOLD_DB.most, 1],
    (db) => `${db} dB`,
    (thresholdDb) => this.talk({ thresholdDb }),
  );
  private readonly hang = liveSlider(
    "Stays open for",
    "voice-hang",
    [100, HANG_MS.most, 50],
    (ms) => `${(ms / 1000).toFixed(2).replace(/0$/, "")} s`,
    (hangMs) => this.talk({ hangMs }),
  );
  private readonly activation = h("div", { class: "stack" });
  private inputs: readonly Device[] = [];
  private outputs: readonly Device[] = [];
  private stops: (() => void)[] = [];

  constructor(
    private readonly voice: RoomVoice,
    private readonly beat: Beat,
  ) {
    this.test = new VoiceTest(voice);
    fill(this.activation, this.threshold.element, this.hang.element);
    this.microphone = h(
      "div",
      { class: "stack" },
      this.input.element,
      h("div", { class: "meter-row" }, this.meter.element, this.test.button),
      this.test.said,
      this.trouble,
      this.noise.element,
      h("div", { class: "switches" }, this.echo.element, this.gain.element),
    );
    this.speaker = h("div", { class: "stack" }, this.output.element);
    this.talking = h("div", { class: "stack" }, this.mode.element, this.activation);
  }

  /** Shown: the meter moves, devices that come and go are listed. */
  open(): void {
    this.close();
    const { microphone } = this.voice;
    this.stops = [
      this.beat.add(() => this.meter.show(microphone.level())),
      microphone.onChange(() => this.changed()),
      this.voice.onChange(() => this.render()),
    ];
    this.changed();
  }

  /** Not shown any more. */
  close(): void {
    for (const stop of this.stops) stop();
    this.stops = [];
    this.test.stop();
  }

  private changed(): void {
    this.render();
    void this.list();
  }

  private async list(): Promise<void> {
    const { microphone } = this.voice;
    [this.inputs, this.outputs] = await Promise.all([microphone.inputs(), microphone.outputs()]);
    if (this.stops.length > 0) this.render();
  }

  private render(): void {
    const { settings } = this.voice.view;
    const { processing, talking } = settings;
    this.input.show(choices(this.inputs, settings.deviceId, "Microphone"), this.inputs.length > 0);
    this.output.show(choices(this.outputs, settings.outputId, "Speaker"), this.outputs.length > 0);
    this.noise.show(processing.noise, true);
    this.echo.show(processing.echo, true);
    this.gain.show(processing.gain, true);
    this.mode.show(talking.mode, true);
    this.threshold.show(talking.thresholdDb, true);
    this.hang.show(talking.hangMs, true);
    this.activation.hidden = talking.mode !== "activation";
    this.meter.threshold(talking.mode === "activation" ? talking.thresholdDb : null);
    const { state } = this.voice.microphone;
    this.test.show(state === "live");
    this.tell(state);
  }

  private tell(state: MicrophoneState): void {
    const trouble = microphoneTrouble(state);
    this.trouble.hidden = trouble === null && state !== "asking";
    if (this.trouble.dataset.state === state) return; // a button that is being pressed stays
    this.trouble.dataset.state = state;
    if (state === "asking") {
      fill(this.trouble, h("p", {}, "Your browser asks whether this page may use the microphone."));
      return;
    }
    if (!trouble) return;
    const again: HTMLButtonElement = button(
      "Try again",
      () => void busy(again, () => this.voice.microphone.open()),
      { class: "small", testid: "voice-microphone-again" },
    );
    fill(
      this.trouble,
      icon("micOff", 19),
      h("div", {}, h("strong", {}, trouble.title), h("p", {}, trouble.hint)),
      state === "insecure" ? null : again,
    );
  }

  private set(change: Partial<VoiceSettings>): void {
    this.voice.settings(change);
  }

  private process(change: Partial<VoiceSettings["processing"]>): void {
    this.set({ processing: { ...this.voice.view.settings.processing, ...change } });
  }

  private talk(change: Partial<VoiceSettings["talking"]>): void {
    this.set({ talking: { ...this.voice.view.settings.talking, ...change } });
  }
}

/** A list of devices, the system's own first; a chosen one that is gone stays in it. */
export function choices(
  devices: readonly Device[],
  chosen: string | null,
  kind: string,
): { chosen: string; options: [string, string][] } {
  const options: [string, string][] = [["", "The system's own"]];
  devices.forEach(({ id, label }, n) => {
    options.push([id, label || `${kind} ${n + 1}`]);
  });
  if (chosen && !options.some(([id]) => id === chosen))
    options.push([chosen, `${kind} that is not connected`]);
  return { chosen: chosen ?? "", options };
}
