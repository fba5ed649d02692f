/** What a moderator may do to one person: mute, ask to unmute, put first, lower the hand, move, take out of voice. */

import type { PersonView } from "../voice/types";
import { ask } from "./dialog";
import { busy, button, fill, h, put } from "./dom";
import { choiceField } from "./fields";
import { areaOf } from "./voicechannels";
import { tried, type VoiceDesk } from "./voicedesk";
import { switchField } from "./voicefields";

export class PersonPowers {
  readonly element = h("div", { class: "voice-powers", attrs: { role: "group" } });
  private readonly mute: HTMLButtonElement;
  private readonly request: HTMLButtonElement;
  private readonly lower: HTMLButtonElement;
  private readonly remove: HTMLButtonElement;
  private readonly priority;
  private readonly channel;
  private readonly area = h("p", { class: "hint", testid: "voice-move-area" });
  private shown: [moderates: boolean, name: string] = [false, ""];

  constructor(
    private readonly desk: VoiceDesk,
    private readonly person: () => PersonView,
  ) {
    const { voice } = desk;
    this.mute = this.button("voice-mute-other", () => {
      const { userId, muted } = person();
      return tried(desk, voice.muteOther(userId, !muted), "Nothing changed.");
    });
    this.request = this.button("voice-ask-unmute", () => this.askToUnmute(), "Ask to unmute");
    this.lower = this.button(
      "voice-lower-hand",
      () => tried(desk, voice.lowerHand(person().userId), "The hand is still up."),
      "Lower hand",
    );
    this.remove = this.button("voice-remove", () => this.takeOut(), "Take out of voice");
    this.remove.classList.add("danger");
    this.priority = switchField(
      "Priority speaker",
      "voice-priority",
      (on) => void tried(desk, voice.setPriority(person().userId, on), "Nothing changed."),
      "Heard before everybody else, everywhere in their channel.",
    );
    this.channel = choiceField("Channel", "voice-move", (channelId) => void this.moveTo(channelId));
    fill(
      this.element,
      h("h4", {}, "As a moderator"),
      h("div", { class: "voice-row-actions" }, this.mute, this.request, this.lower),
      this.priority.element,
      this.channel.element,
      this.area,
      h("div", { class: "voice-row-actions" }, this.remove),
    );
  }

  /** As things are; only for who may. */
  show(moderates: boolean, name: string): void {
    this.shown = [moderates, name];
    this.element.hidden = !moderates;
    if (!moderates) return;
    const person = this.person();
    const { muted, selfMuted, listening, priority, handRaisedAtMs } = person;
    this.element.setAttribute("aria-label", `Moderating ${name}`);
    this.mute.textContent = muted ? "Let speak again" : "Mute for everybody";
    this.mute.hidden = listening && !muted;
    this.request.hidden = listening || muted || !selfMuted;
    this.lower.hidden = handRaisedAtMs === null;
    this.priority.show(priority, true);
    this.showChannel(person);
  }

  /** Where they are put; and where they are instead, while they stand in an area. */
  private showChannel(person: PersonView): void {
    const { channels } = this.desk.voice.view;
    const options = channels.map(({ channel }) => [channel.channel_id, channel.name] as const);
    this.channel.show({ chosen: person.putId, options }, options.length > 1);
    this.channel.element.hidden = options.length < 2;
    const area = areaOf(person, channels);
    this.area.hidden = area === null || person.putId === person.channelId;
    put(this.area, area ? `Stands in the area of ${area.name}, and is in it until they walk out.` : "");
  }

  /** Who stands in an area is in its channel for as long as they do. */
  private async moveTo(channelId: string): Promise<void> {
    const { desk } = this;
    const { userId } = this.person();
    if (!(await tried(desk, desk.voice.move(userId, channelId), "They stay where they were."))) {
      this.show(...this.shown); // what was chosen and refused is not shown as if it were so
      return;
    }
    const person = this.person();
    const area = areaOf(person, desk.voice.view.channels);
    if (!area || person.channelId === channelId) return;
    desk.room.toasts.show(`${desk.nameOf(userId)} is there as soon as they walk out of ${area.name}.`);
  }

  private async askToUnmute(): Promise<void> {
    const { userId } = this.person();
    if (await tried(this.desk, this.desk.voice.requestUnmute(userId), "They were not asked."))
      this.desk.room.toasts.show(`${this.desk.nameOf(userId)} is asked to unmute.`, { tone: "good" });
  }

  /** After a question; and it can be taken back for a while. */
  private async takeOut(): Promise<void> {
    const { desk } = this;
    const { userId } = this.person();
    const name = desk.nameOf(userId);
    const text = "They stay in the room, and neither hear nor are heard until they are let back in.";
    if (
      !(await ask(`Take ${name} out of voice?`, text, [{ value: "remove", label: "Take out", danger: true }]))
    )
      return;
    if (!(await tried(desk, desk.voice.remove(userId, true), `${name} is still in voice.`))) return;
    const back = (): void =>
      void tried(desk, desk.voice.remove(userId, false), `${name} still cannot come back.`);
    desk.room.toasts.show(`${name} is out of voice.`, { action: { label: "Let back in", run: back } });
  }

  private button(testid: string, work: () => Promise<unknown>, label = ""): HTMLButtonElement {
    const made: HTMLButtonElement = button(label, () => void busy(made, work), { class: "small", testid });
    return made;
  }
}
