/** What everybody sees while something is recorded: the red dot with its words, and the own answer, which may be changed. */

import { type Child, fill, h, put } from "./dom";
import { recordedChannel, recordingLabel, recordingLines } from "./recordingwords";
import { tried, type VoiceDesk } from "./voicedesk";
import { switchField } from "./voicefields";
import { clockText } from "./voicescale";

/** The mark beside the room's name. */
export class RecordingMark {
  readonly element: HTMLButtonElement;
  private readonly channel = h("span", { class: "rec-channel wide-only" });
  private readonly clock = h("span", { class: "rec-clock wide-only" });

  constructor(private readonly desk: VoiceDesk) {
    this.element = h(
      "button",
      { class: "rec-mark", testid: "recording-mark", attrs: { type: "button" } },
      h("i", { attrs: { "aria-hidden": "true" } }),
      "Recording ",
      this.channel,
      this.clock,
    );
    this.element.addEventListener("click", () => desk.open("recordings"));
    this.element.hidden = true;
  }

  /** As it is now; about twice a second. */
  render(nowMs: number): void {
    const { view } = this.desk.voice;
    const { recording } = view;
    this.element.hidden = recording === null;
    if (!recording) return;
    put(this.channel, recordedChannel(view));
    put(this.clock, clockText(nowMs - recording.started_at_ms));
    const label = recordingLabel(view, recording, this.desk.nameOf);
    if (this.element.title === label) return;
    this.element.title = label;
    this.element.setAttribute("aria-label", label);
  }
}

/** A room's recordings as a part of the page: its list and its player. */
export interface RecordingsList {
  readonly element: HTMLElement;
  /** Whether the panel shows it. */
  show(open: boolean): void;
  /** As it is now. */
  render(): void;
}

/** The panel's page of recordings: what is recorded now and the own answer, and below it the list of recordings. */
export class VoiceRecordingPage {
  readonly element = h("div", { class: "panel-page", testid: "voice-recordings" });
  private list: RecordingsList | null = null;
  private readonly now = h("section", { class: "rec-now", attrs: { "aria-label": "Being recorded now" } });
  private readonly answer;
  private readonly words = h("div", {});
  private shown = "";
  /** What was answered and is not known to the room yet: the switch does not go back meanwhile. */
  private asked: boolean | null = null;

  constructor(private readonly desk: VoiceDesk) {
    this.answer = switchField(
      "My voice may be in it",
      "recording-consent",
      (given) => void this.answered(given),
      "You may change this while it is recorded. What was written before stays in it.",
    );
    fill(this.now, this.words, this.answer.element);
    fill(this.element, this.now);
  }

  private async answered(given: boolean): Promise<void> {
    this.asked = given;
    if (!(await tried(this.desk, this.desk.voice.consent(given), "Your answer is as it was.")))
      this.asked = null;
    this.render();
  }

  /** The list has its place below what is recorded now. */
  hold(list: RecordingsList): void {
    this.list = list;
    fill(this.element, this.now, list.element);
  }

  /** Whether it is shown: then the list is kept as new as it can be. */
  show(open: boolean): void {
    this.list?.show(open);
  }

  render(): void {
    this.list?.render();
    const { view } = this.desk.voice;
    const { recording, consent, status } = view;
    this.now.hidden = recording === null;
    if (recording === null || (consent === "given") === this.asked) this.asked = null;
    this.answer.show(this.asked ?? consent === "given", status.kind === "joined");
    if (!recording) return;
    const title = `Recording ${recordedChannel(view)} now`;
    const lines = recordingLines(view, recording, this.desk.nameOf, Date.now());
    const key = [title, ...lines].join();
    if (key === this.shown) return;
    this.shown = key;
    const parts: Child[] = lines.map((line) => h("p", {}, line));
    fill(this.words, h("strong", {}, h("i", { attrs: { "aria-hidden": "true" } }), title), ...parts);
  }
}
