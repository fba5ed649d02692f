/** What everybody sees while something is recorded: the red dot with its words, and the own answer, which may be changed. */

import { type Child, fill, h, put } from "./dom";
import { ago } from "./format";
import { tried, type VoiceDesk } from "./voicedesk";
import { switchField } from "./voicefields";
import { clockText } from "./voicescale";

/** The mark beside the room's name. */
export class RecordingMark {
  readonly element: HTMLButtonElement;
  private readonly words = h("span", {});
  private readonly clock = h("span", { class: "rec-clock wide-only" });

  constructor(private readonly desk: VoiceDesk) {
    this.element = h(
      "button",
      { class: "rec-mark", testid: "recording-mark", attrs: { type: "button" } },
      h("i", { attrs: { "aria-hidden": "true" } }),
      this.words,
      this.clock,
    );
    this.element.addEventListener("click", () => desk.open("recordings"));
    this.element.hidden = true;
  }

  /** As it is now; about twice a second. */
  render(nowMs: number): void {
    const { recording, consent } = this.desk.voice.view;
    this.element.hidden = recording === null;
    if (!recording) return;
    put(this.words, "Recording");
    put(this.clock, clockText(nowMs - recording.started_at_ms));
    const mine = consent === "given" ? "Your voice is in it." : "Your voice is not in it.";
    const label = `This room's voice is recorded, by ${this.desk.nameOf(recording.started_by)}. ${mine}`;
    if (this.element.title === label) return;
    this.element.title = label;
    this.element.setAttribute("aria-label", label);
  }
}

/** A room's recordings as a part of the page: its list and its player. */
export interface RecordingsList {
  readonly element: HTMLElement;
  /** Reads them anew. */
  refresh(): Promise<void>;
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
      "You may change this while it is recorded.",
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

  /** Shown: the list is read again. */
  open(): void {
    void this.list?.refresh();
  }

  render(): void {
    const { recording, consent, status } = this.desk.voice.view;
    this.now.hidden = recording === null;
    if (recording === null || (consent === "given") === this.asked) this.asked = null;
    this.answer.show(this.asked ?? consent === "given", status.kind === "joined");
    if (!recording) return;
    const { started_by, started_at_ms, consented = [] } = recording;
    const lines: string[] = [
      `${this.desk.nameOf(started_by)} started it ${ago(started_at_ms, Date.now())}.`,
      consented.length === 0
        ? "Nobody has agreed yet: nothing is written."
        : `Agreed: ${consented.map((id) => this.desk.nameOf(id)).join(", ")}.`,
    ];
    const key = lines.join();
    if (key === this.shown) return;
    this.shown = key;
    const parts: Child[] = lines.map((line) => h("p", {}, line));
    fill(
      this.words,
      h("strong", {}, h("i", { attrs: { "aria-hidden": "true" } }), "Recording now"),
      ...parts,
    );
  }
}
