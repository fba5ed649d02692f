/** What asks a person for an answer about voice, above the bar: never more than it takes, and nothing is answered for them. */

import type { MicrophoneNotice, VoiceView } from "../voice/types";
import { busy, button, fill, h } from "./dom";
import { type IconName, icon } from "./icons";
import { tried, type VoiceDesk } from "./voicedesk";
import { deviceWords, moderatedWords, noticesOf, outputWords, type VoiceNotice } from "./voicewords";

const ICONS: Record<VoiceNotice["kind"], IconName> = {
  return: "headphones",
  blocked: "speakerOff",
  unmute: "mic",
  consent: "record",
  microphone: "micOff",
};

export class VoiceNotices {
  readonly element = h("div", { class: "voice-notices", testid: "voice-notices" });
  private device: MicrophoneNotice | null = null;
  /** The chosen speaker that was told to be gone. */
  private gone: string | null = null;
  /** Said to the microphone that does not work; until it does. */
  private listens = false;
  /** A moderator had muted this page's person when that was looked at last. */
  private muted = false;
  /** Takes away what was said of that. */
  private unsay: () => void = () => {};
  private readonly stop: () => void;
  private readonly stopDevice: () => void;
  private readonly stopSound: () => void;
  private shown = "";

  constructor(private readonly desk: VoiceDesk) {
    this.stop = desk.voice.onChange(() => this.render());
    this.stopDevice = desk.voice.microphone.onChange(() => this.tell());
    this.stopSound = desk.voice.sound.onChange(() => this.tellOutput());
    this.render();
  }

  render(): void {
    const { view } = this.desk.voice;
    if (view.own.microphone === "live" || view.status.kind !== "joined") this.listens = false;
    this.tellMute(view);
    const notices = noticesOf(view, this.desk.nameOf, this.listens).slice(0, 2);
    const key = JSON.stringify(notices);
    if (key === this.shown) return;
    this.shown = key;
    fill(this.element, ...notices.map((notice) => this.item(notice)));
  }

  dispose(): void {
    this.stop();
    this.stopDevice();
    this.stopSound();
    this.element.remove();
  }

  /** A moderator mutes one, or lets one speak again: said when it happens. */
  private tellMute({ status, own }: VoiceView): void {
    const words = status.kind === "joined" ? moderatedWords(this.muted, own) : null;
    const muted = status.kind === "joined" && own.muted;
    if (muted !== this.muted) this.unsay();
    this.muted = muted;
    if (!words) return;
    const run = (): void => void tried(this.desk, this.desk.voice.raiseHand(true), "Your hand is down.");
    this.unsay = this.desk.room.toasts.show(
      words.text,
      words.ask ? { action: { label: "Raise hand", run } } : {},
    );
  }

  /** What the system changed of the microphone: said once, done nothing about unless it is wanted. */
  private tell(): void {
    const { microphone } = this.desk.voice;
    const { notice } = microphone;
    if (notice === this.device) return;
    this.device = notice;
    if (!notice) return;
    const { text, use } = deviceWords(notice);
    const run = (): void => void microphone.open().then(() => microphone.dismiss());
    this.desk.room.toasts.show(text, use ? { action: { label: "Use it", run } } : {});
    if (!use) microphone.dismiss();
  }

  /** A chosen speaker that is gone is replaced, and used again when it is back: both are said. */
  private tellOutput(): void {
    const { sound, view } = this.desk.voice;
    const { outputId } = view.settings;
    const gone = sound.fellBack ? outputId : null;
    const words = outputWords(this.gone, gone, outputId);
    this.gone = gone;
    if (words && sound.state !== "off") this.desk.room.toasts.show(words);
  }

  private item(notice: VoiceNotice): HTMLElement {
    const { kind, title, text } = notice;
    return h(
      "div",
      { class: `voice-notice ${kind}`, testid: `voice-notice-${kind}`, attrs: { role: "alert" } },
      icon(ICONS[kind], 22),
      h("div", { class: "voice-notice-words" }, h("strong", {}, title), h("p", {}, text)),
      h("div", { class: "voice-notice-actions" }, ...this.answers(kind)),
    );
  }

  private answers(kind: VoiceNotice["kind"]): (HTMLElement | null)[] {
    const { voice } = this.desk;
    switch (kind) {
      case "return":
        return [
          this.put("Stay out", "voice-stay-out", () => voice.stayOut()),
          this.answer(
            "Join again",
            "voice-return",
            () => voice.join(undefined, voice.view.returning ?? {}),
            "You are not in voice.",
            true,
          ),
        ];
      case "blocked":
        return [
          this.answer(
            "Hear the others",
            "voice-hear",
            () => voice.sound.start(),
            "You hear nothing yet.",
            true,
          ),
        ];
      case "unmute":
        return [
          this.answer(
            "Stay muted",
            "voice-stay-muted",
            () => voice.declineUnmute(),
            "Your answer did not arrive.",
          ),
          this.answer("Unmute", "voice-unmute", () => voice.mute(false), "You are still muted.", true),
        ];
      case "consent":
        return [
          this.answer(
            "No",
            "voice-decline",
            () => voice.consent(false),
            "Your answer did not arrive: you are not recorded.",
          ),
          this.answer(
            "Yes, record me",
            "voice-consent",
            () => voice.consent(true),
            "You are not recorded.",
            true,
          ),
        ];
      case "microphone":
        return [
          this.put("Just listen", "voice-just-listen", () => {
            this.listens = true;
          }),
          voice.view.own.microphone === "insecure"
            ? null
            : this.answer(
                "Try again",
                "voice-try-again",
                () => voice.openMicrophone(),
                "You still only listen.",
                true,
              ),
        ];
      default:
        return kind satisfies never;
    }
  }

  private answer(
    label: string,
    testid: string,
    work: () => Promise<unknown>,
    still: string,
    primary = false,
  ): HTMLButtonElement {
    const made: HTMLButtonElement = button(
      label,
      () => void busy(made, () => tried(this.desk, work(), still)).then(() => this.render()),
      { kind: primary ? "primary" : "plain", class: "small", testid },
    );
    return made;
  }

  /** Put away, until it is asked again. */
  private put(label: string, testid: string, away: () => void): HTMLButtonElement {
    return button(
      label,
      () => {
        away();
        this.render();
      },
      { class: "small", testid },
    );
  }
}
