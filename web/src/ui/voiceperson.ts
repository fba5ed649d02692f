/** One person in voice, as a row: what they do, how loud they are here, and for a moderator the power over them. Stays where it is while it changes. */

import type { PersonView } from "../voice/types";
import { button, fill, freshId, h, put } from "./dom";
import { icon } from "./icons";
import { voiceSign } from "./people";
import { disc } from "./person";
import { faceOf, tried, type VoiceDesk } from "./voicedesk";
import { liveSlider } from "./voicefields";
import { Level } from "./voicemeter";
import { PersonPowers } from "./voicepowers";
import { meterOf, percentOf, volumeOf } from "./voicescale";
import { personWords } from "./voicewords";

export class VoicePersonRow {
  readonly element: HTMLLIElement;
  private readonly ring = h("span", { class: "disc-ring" });
  private readonly name = h("strong", {});
  private readonly state = h("span", { testid: "voice-person-state" });
  private readonly signs = h("span", { class: "voice-signs" });
  private readonly silence: HTMLButtonElement;
  private readonly more: HTMLButtonElement;
  private readonly drawer: HTMLElement;
  private readonly volume;
  private readonly block: HTMLButtonElement;
  private readonly powers: PersonPowers;
  private readonly level: Level;
  private view: PersonView;
  private before = 1;
  private shown = "";

  constructor(
    private readonly desk: VoiceDesk,
    start: PersonView,
  ) {
    this.view = start;
    this.level = new Level(this.ring);
    this.volume = liveSlider(
      "Volume for me",
      "voice-volume",
      [0, 200, 5],
      (value) => `${value} %`,
      (value) => desk.voice.volume(this.view.userId, volumeOf(value)),
    );
    this.silence = this.small("voice-silence", () => this.toggleSilence());
    this.more = this.small("voice-more", () => this.toggle());
    this.block = button("", () => this.toggleBlock(), { class: "small", testid: "voice-block" });
    this.powers = new PersonPowers(desk, () => this.view);
    this.drawer = h(
      "div",
      { class: "voice-drawer", id: freshId("drawer"), testid: "voice-drawer" },
      this.volume.element,
      h("div", { class: "voice-row-actions" }, this.block),
      this.powers.element,
    );
    this.drawer.hidden = true;
    this.more.setAttribute("aria-controls", this.drawer.id);
    this.more.setAttribute("aria-expanded", "false");
    fill(this.more, icon("more", 18));
    this.element = h(
      "li",
      { class: "person voice-person", testid: "voice-person", attrs: { "data-user": start.userId } },
      this.ring,
      h("div", { class: "person-words" }, this.name, this.state),
      h("div", { class: "person-actions" }, this.signs, this.silence, this.more),
      this.drawer,
    );
    this.show(start, false);
  }

  /** What is known of them now. */
  show(person: PersonView, here: boolean): void {
    this.view = person;
    const { name, color } = faceOf(this.desk, person.userId);
    const words = personWords(person, here);
    const { own, channels } = this.desk.voice.view;
    const { moderates } = own;
    const names = channels.map(({ channel }) => [channel.channel_id, channel.name]);
    const key = JSON.stringify([person, name, color, words, moderates, names]);
    if (key === this.shown) return;
    this.shown = key;
    const { classList } = this.element;
    classList.toggle("speaking", person.speaking && !person.blocked && !person.muted);
    classList.toggle("unheard", person.blocked || person.muted || person.listening || person.selfMuted);
    if (this.ring.dataset.of !== name + color) {
      this.ring.dataset.of = name + color;
      fill(this.ring, disc(name, color));
    }
    put(this.name, name);
    put(this.state, words);
    this.sign(person);
    this.label(person, name);
    this.volume.show(percentOf(person.volume), !person.blocked);
    this.volume.element.hidden = person.blocked; // nobody is heard at any volume
    this.powers.show(moderates, name);
  }

  /** The ring follows the voice. */
  move(): void {
    const { speaking, blocked, peerIds } = this.view;
    let loudest = 0;
    if (speaking && !blocked)
      for (const peerId of peerIds) loudest = Math.max(loudest, meterOf(this.desk.voice.level(peerId)));
    this.level.show(loudest);
  }

  private sign({ handRaisedAtMs, muted, selfMuted, priority, blocked }: PersonView): void {
    fill(
      this.signs,
      priority ? voiceSign("priority", "Priority speaker") : null,
      handRaisedAtMs !== null ? voiceSign("hand", "Hand raised") : null,
      blocked ? voiceSign("block", "Blocked") : muted || selfMuted ? voiceSign("micOff", "Muted") : null,
    );
  }

  private label(person: PersonView, name: string): void {
    const silent = person.volume === 0;
    fill(this.silence, icon(silent ? "speakerOff" : "speaker", 17));
    this.silence.hidden = person.listening || person.blocked;
    this.silence.setAttribute("aria-pressed", String(silent));
    this.silence.setAttribute("aria-label", silent ? `Hear ${name} again` : `Mute ${name} for me`);
    this.silence.title = silent ? "Hear them again" : "Mute for me";
    this.more.setAttribute("aria-label", `More about ${name}`);
    put(this.block, person.blocked ? "Unblock" : "Block");
    this.block.title = "Neither hears the other, in every room. Nobody is told.";
  }

  private toggle(): void {
    this.drawer.hidden = !this.drawer.hidden;
    this.more.setAttribute("aria-expanded", String(!this.drawer.hidden));
    this.element.classList.toggle("opened", !this.drawer.hidden);
  }

  private toggleSilence(): void {
    const { volume, userId } = this.view;
    if (volume > 0) this.before = volume;
    this.desk.voice.volume(userId, volume > 0 ? 0 : this.before);
  }

  private toggleBlock(): void {
    const { userId, blocked } = this.view;
    const { name } = faceOf(this.desk, userId);
    void tried(
      this.desk,
      this.desk.voice.block(userId, !blocked),
      blocked ? `${name} is still blocked.` : `${name} is not blocked.`,
    );
  }

  private small(testid: string, onClick: () => void): HTMLButtonElement {
    return button("", onClick, { kind: "quiet", class: "icon-only", testid });
  }
}
