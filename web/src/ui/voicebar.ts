/** Voice at the foot of the room: join or leave, the microphone with its level, the hand, where one is and how it sounds there. */

import type { VoiceView } from "../voice/types";
import { BarsIcon, barsText } from "./bars";
import { button, fill, h, put } from "./dom";
import { icon } from "./icons";
import { disc } from "./person";
import { faceOf, tried, type VoiceDesk } from "./voicedesk";
import { voiceLines } from "./voicefigures";
import { Level } from "./voicemeter";
import { micAction, micLabels } from "./voicemic";
import { meterOf, mosBars } from "./voicescale";
import { ownWords, VOICE_CARRIER } from "./voicewords";

const FACES = 3;
const MUTED_UP = "A moderator muted you. Your hand is up: they see that you ask to speak.";

export class VoiceBar {
  readonly element = h("section", {
    class: "voicebar",
    testid: "voicebar",
    attrs: { "aria-label": "Voice" },
  });
  private readonly out = h("div", { class: "voice-out" });
  private readonly own = h("div", { class: "voice-own glass" });
  private readonly join: HTMLButtonElement;
  private readonly joinWords = h("span", {});
  private readonly others: HTMLButtonElement;
  private readonly mic: HTMLButtonElement;
  private readonly micDrawn = h("span", { class: "mic-icon" });
  private readonly micWords = h("span", { class: "mic-words" });
  private readonly state = h("strong", { class: "wide-only", testid: "voice-state" });
  private readonly stateShort = h("strong", { class: "narrow-only", attrs: { "aria-hidden": "true" } });
  private readonly where: HTMLButtonElement;
  private readonly whereWords = h("span", { testid: "voice-where-words" });
  private readonly bars = new BarsIcon();
  private readonly hand: HTMLButtonElement;
  private readonly said = h("p", { class: "sr-only", testid: "voice-said", attrs: { role: "status" } });
  private readonly level: Level;
  private readonly stops: (() => void)[];
  private shown = "";
  private saidNow = "";
  private drawn = "";
  private holding = false;

  constructor(
    private readonly desk: VoiceDesk,
    private readonly ports: { onJoin(): void; onLeave(): void; onMicrophone(): void },
  ) {
    this.join = button(icon("headphones", 20), () => ports.onJoin(), {
      class: "voice-join",
      testid: "voice-join",
    });
    this.join.append(this.joinWords);
    this.others = button("", () => desk.open("voices"), { class: "voice-others", testid: "voice-others" });
    this.others.title = "Voices, channels, sound, recordings (K)";
    this.mic = button(this.micDrawn, () => this.pressed(), { class: "mic", testid: "voice-mic" });
    this.mic.append(this.micWords);
    this.holdable();
    this.level = new Level(this.mic);
    this.where = button(this.bars.element, () => desk.open("channels"), {
      kind: "quiet",
      class: "voice-where",
      testid: "voice-where",
    });
    this.where.append(this.whereWords);
    desk.room.connection.details.attach(this.where, () => voiceLines(desk.voice.view), false, this.own);
    this.hand = button(icon("hand", 20), () => this.raise(), {
      kind: "quiet",
      class: "tool",
      testid: "voice-hand",
    });
    this.build();
    const moves = desk.beat.add(() => this.move());
    this.stops = [desk.voice.onChange(() => this.render()), moves];
    this.render();
  }

  /** Shows everything as it is now. */
  render(): void {
    const { view } = this.desk.voice;
    const joined = view.status.kind === "joined";
    this.out.hidden = joined;
    this.own.hidden = !joined;
    if (joined) this.renderOwn(view);
    else this.renderOut(view);
  }

  /** Changes whether one is muted, where there is something to mute. */
  toggleMute(): void {
    const { view } = this.desk.voice;
    if (view.status.kind !== "joined") return;
    const action = micAction(view.own, false);
    if (action === "open") this.ports.onMicrophone();
    else if (action === "ask") void this.ask();
    else if (action === "wait") this.desk.room.toasts.show(MUTED_UP);
    else this.mute(action === "mute");
  }

  private mute(muted: boolean): void {
    void tried(
      this.desk,
      this.desk.voice.mute(muted),
      muted ? "Nobody hears you; the others do not see it yet." : "You are still muted.",
    );
  }

  /** Whom a moderator muted asks to speak. */
  private async ask(): Promise<void> {
    if (await tried(this.desk, this.desk.voice.raiseHand(true), "Your hand is down."))
      this.desk.room.toasts.show(MUTED_UP);
  }

  /** The hand goes up, or down. */
  raise(): void {
    const { view } = this.desk.voice;
    if (view.status.kind !== "joined") return;
    const raised = view.own.handRaisedAtMs === null;
    void tried(
      this.desk,
      this.desk.voice.raiseHand(raised),
      raised ? "Your hand is down." : "Your hand is still up.",
    );
  }

  dispose(): void {
    for (const stop of this.stops) stop();
    this.element.remove();
  }

  private build(): void {
    const leave = button(icon("hangUp", 20), () => this.ports.onLeave(), {
      kind: "quiet",
      class: "tool voice-leave",
      testid: "voice-leave",
      attrs: { "aria-label": "Leave voice", title: "Leave voice" },
    });
    fill(this.out, this.join, this.others);
    fill(
      this.own,
      this.mic,
      h("div", { class: "voice-words" }, this.state, this.stateShort, this.where),
      this.hand,
      leave,
    );
    fill(this.element, this.out, this.own, this.said);
  }

  // -- not joined --

  private renderOut({ status, people }: VoiceView): void {
    const joining = status.kind === "joining";
    this.join.disabled = status.kind === "unavailable" || joining;
    this.join.setAttribute("aria-busy", String(joining));
    const words = {
      out: "Join voice",
      joining: "Joining…",
      joined: "",
      failed: "Try again",
      unavailable: "No voice",
    };
    put(this.joinWords, words[status.kind]);
    const why = status.kind === "failed" || status.kind === "unavailable" ? status.text : "";
    this.join.title = why || "Talk with the others (J)";
    const key = JSON.stringify([why, people.map(({ userId }) => faceOf(this.desk, userId))]);
    this.say(why);
    if (key === this.drawn) return;
    this.drawn = key;
    const inside = people.length > 0 ? `In voice: ${people.length}` : "Nobody is in voice";
    this.others.setAttribute("aria-label", why || `${inside}. Voices, channels, sound, recordings`);
    this.others.classList.toggle("voice-why", why !== "");
    if (why) fill(this.others, h("span", { testid: "voice-failed" }, why));
    else if (people.length === 0) fill(this.others, icon("people", 20));
    else fill(this.others, this.faces(people), people.length > FACES ? `+${people.length - FACES}` : null);
  }

  private faces(people: VoiceView["people"]): HTMLElement {
    const shown = people.slice(0, FACES).map(({ userId }) => faceOf(this.desk, userId));
    return h("span", { class: "faces" }, ...shown.map(({ name, color }) => disc(name, color)));
  }

  // -- joined --

  private renderOwn(view: VoiceView): void {
    const words = ownWords(view);
    const { own } = view;
    const push = this.pushes(view);
    this.own.dataset.tone = words.tone;
    this.own.classList.toggle("push", push);
    this.own.classList.toggle("held", push && own.held);
    const key = JSON.stringify([words, push, micAction(own, push)]);
    if (key !== this.shown) {
      this.shown = key;
      fill(this.micDrawn, icon(words.icon, push ? 22 : 21));
      put(this.micWords, push ? (own.held ? "Speaking" : "Hold to speak") : "");
      const { label, title } = micLabels(micAction(own, push), words.title);
      this.mic.setAttribute("aria-label", label);
      this.mic.title = title;
      put(this.state, words.title);
      put(this.stateShort, words.short);
      this.state.title = words.hint;
    }
    this.say(own.held || own.speaking ? this.saidNow : `${words.title}. ${words.hint}`);
    const raised = own.handRaisedAtMs !== null;
    const label = raised ? "Lower your hand" : "Raise your hand";
    this.hand.setAttribute("aria-pressed", String(raised));
    this.hand.setAttribute("aria-label", label);
    this.hand.title = `${label} (U)`;
    this.place(view);
  }

  private place({ carrier, channels, figures }: VoiceView): void {
    const name = channels.find(({ current }) => current)?.channel.name ?? "Voice";
    const bars = carrier === "none" ? null : mosBars(figures?.mos);
    this.bars.show(bars);
    put(this.whereWords, name);
    const label = `Channel ${name}. ${VOICE_CARRIER[carrier]}. ${barsText(bars)}`;
    if (this.where.getAttribute("aria-label") !== label) this.where.setAttribute("aria-label", label);
  }

  /** A level is shown while the microphone is heard, and only then. */
  private move(): void {
    const { view, microphone } = this.desk.voice;
    const { own } = view;
    const live = view.status.kind === "joined" && !own.muted && !own.selfMuted && !own.listening;
    const gated = view.settings.talking.mode === "push" && !own.held;
    this.level.show(live && !gated ? meterOf(microphone.level()) : 0);
  }

  private say(words: string): void {
    if (words === this.saidNow) return;
    this.saidNow = words;
    this.said.textContent = words;
  }

  // -- the microphone's button --

  private pushes({ own, settings }: VoiceView): boolean {
    return settings.talking.mode === "push" && !own.selfMuted && !own.listening && !own.muted;
  }

  private pressed(): void {
    if (!this.pushes(this.desk.voice.view)) this.toggleMute();
  }

  private hold(held: boolean): void {
    if (held === this.holding || (held && !this.pushes(this.desk.voice.view))) return;
    this.holding = held;
    this.desk.voice.hold(held);
  }

  private holdable(): void {
    const { mic } = this;
    mic.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      mic.setPointerCapture(event.pointerId);
      this.hold(true);
    });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture", "blur"] as const)
      mic.addEventListener(end, () => this.hold(false));
    mic.addEventListener("contextmenu", (event) => event.preventDefault());
    mic.addEventListener("keydown", (event) => {
      if (event.key === " " || event.key === "Enter") this.hold(true);
    });
    mic.addEventListener("keyup", (event) => {
      if (event.key === " " || event.key === "Enter") this.hold(false);
    });
  }
}
