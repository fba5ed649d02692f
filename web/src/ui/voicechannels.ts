/** The room's voice channels: who is in each, going to one, and for owners making, changing and deleting them. */

import type { ChannelView, PersonView, VoiceView } from "../voice/types";
import { type ChannelId, LIMITS, type VoiceChannel, type VoiceChannelSettings } from "../wire/generated";
import { ask } from "./dialog";
import { busy, button, fill, h } from "./dom";
import { icon } from "./icons";
import { disc } from "./person";
import { ChannelForm } from "./voicechannelform";
import { faceOf, tried, type VoiceDesk } from "./voicedesk";
import { channelWords } from "./voicewords";

const FACES = 6;

export class VoiceChannelsPage {
  readonly element = h("div", { class: "panel-page", testid: "voice-channels" });
  private readonly list = h("ul", { class: "channels", testid: "channel-list" });
  private readonly make: HTMLButtonElement;
  private readonly foot = h("div", { class: "stack" });
  private readonly full = h(
    "p",
    { class: "hint" },
    `A room has up to ${LIMITS.VOICE_CHANNELS_MAX} channels.`,
  );
  private form: ChannelForm | null = null;
  private shown = "";

  constructor(private readonly desk: VoiceDesk) {
    this.make = button(icon("plus", 18), () => this.edit(null), { class: "small", testid: "channel-new" });
    this.make.append("New channel");
    fill(this.foot, this.make, this.full);
    fill(this.element, h("h3", {}, "Channels"), this.list, this.foot);
  }

  /** Shows everything as it is now; a form that is open stays as it is. */
  render(): void {
    const { view } = this.desk.voice;
    const key = JSON.stringify([
      view.channels,
      view.status.kind,
      view.own,
      view.channels.flatMap(({ userIds }) => userIds.map((id) => faceOf(this.desk, id))),
    ]);
    if (key === this.shown) return;
    this.shown = key;
    this.make.hidden = !view.own.moderates || this.form !== null;
    this.make.disabled = view.channels.length >= LIMITS.VOICE_CHANNELS_MAX;
    this.full.hidden = this.make.hidden || !this.make.disabled;
    const focused = document.activeElement?.id ?? "";
    fill(this.list, ...view.channels.map((channel) => this.item(channel, view)));
    if (focused.startsWith("channel-")) document.getElementById(focused)?.focus({ preventScroll: true });
    if (!view.own.moderates) this.shut();
  }

  // -- a channel --

  private item(view: ChannelView, { status, own, channels }: VoiceView): HTMLElement {
    const { channel, current, full, userIds } = view;
    const joined = status.kind === "joined";
    const way = joined ? wayWords(channel, { own, channels }) : null;
    return h(
      "li",
      {
        class: `channel ${current && joined ? "current" : ""}`.trim(),
        testid: "channel",
        attrs: { "data-channel": channel.channel_id, "aria-current": current && joined ? "true" : null },
      },
      h("span", { class: "channel-icon" }, icon(channel.kind === "stage" ? "stage" : "spatial", 20)),
      h(
        "div",
        { class: "person-words" },
        h("strong", {}, channel.name),
        h("span", {}, channelWords(channel, userIds.length)),
        channel.zone ? h("span", {}, zoneWords(channel)) : null,
        way ? h("span", { class: "channel-way", testid: "channel-way" }, way) : null,
        userIds.length > 0 ? this.faces(userIds) : null,
      ),
      h(
        "div",
        { class: "person-actions" },
        current && joined ? h("em", { class: "here" }, "You are here") : null,
        joined && !current && !channel.zone && !way ? this.enter(channel, full && !own.moderates) : null,
        own.moderates ? this.pencil(channel) : null,
      ),
    );
  }

  private faces(userIds: readonly string[]): HTMLElement {
    const faces = userIds.map((id) => faceOf(this.desk, id));
    const more = faces.length - FACES;
    const names = faces.map(({ name }) => name).join(", ");
    return h(
      "span",
      { class: "faces", attrs: { role: "img", "aria-label": names, title: names } },
      ...faces.slice(0, FACES).map(({ name, color }) => disc(name, color)),
      more > 0 ? h("b", {}, `+${more}`) : null,
    );
  }

  private enter(channel: VoiceChannel, full: boolean): HTMLElement {
    const made: HTMLButtonElement = button(
      full ? "Full" : "Go there",
      () => void busy(made, () => this.goTo(channel)),
      {
        id: `channel-${channel.channel_id}-enter`,
        class: "small",
        testid: "channel-enter",
        attrs: { "aria-label": full ? `${channel.name} is full` : `Go to ${channel.name}` },
      },
    );
    made.disabled = full;
    return made;
  }

  /** Whoever stands in an area is there once they have walked out of it. */
  private async goTo(channel: VoiceChannel): Promise<void> {
    const { voice, room } = this.desk;
    if (!(await tried(this.desk, voice.enterChannel(channel.channel_id), "You stay where you are."))) return;
    const area = areaOf(voice.view.own, voice.view.channels);
    if (area) room.toasts.show(`You are in ${channel.name} as soon as you walk out of ${area.name}.`);
  }

  private pencil(channel: VoiceChannel): HTMLElement {
    return button(icon("pencil", 17), () => this.edit(channel), {
      id: `channel-${channel.channel_id}-edit`,
      kind: "quiet",
      class: "icon-only",
      testid: "channel-edit",
      attrs: { "aria-label": `Change ${channel.name}`, title: "Change" },
    });
  }

  // -- the form --

  private edit(channel: VoiceChannel | null): void {
    this.shut();
    this.form = new ChannelForm(this.desk, channel, {
      onSave: (settings) => this.save(channel, settings),
      onDelete: channel && channel.channel_id !== "main" ? () => this.delete(channel) : null,
      onCancel: () => this.shut(),
    });
    this.make.hidden = true;
    this.foot.append(this.form.element);
    this.form.focus();
  }

  private shut(): void {
    if (!this.form) return;
    this.form.element.remove();
    this.form = null;
    this.make.hidden = !this.desk.voice.view.own.moderates;
  }

  private async save(channel: VoiceChannel | null, settings: VoiceChannelSettings): Promise<void> {
    const { voice } = this.desk;
    const work = channel ? voice.changeChannel(channel.channel_id, settings) : voice.createChannel(settings);
    if (!(await tried(this.desk, work, channel ? "The channel is as it was." : "There is no new channel.")))
      return;
    this.shut();
    this.desk.room.toasts.show("Saved.", { tone: "good" });
  }

  private async delete(channel: VoiceChannel): Promise<void> {
    const text = "Whoever is in it is in the main channel then.";
    const title = `Delete the channel ${channel.name}?`;
    if (!(await ask(title, text, [{ value: "delete", label: "Delete", danger: true }]))) return;
    const work = this.desk.voice.deleteChannel(channel.channel_id);
    if (await tried(this.desk, work, "The channel is still there.")) this.shut();
  }
}

/** Where a channel's area is: "Whoever stands within 8 × 8 m". */
export function zoneWords({ zone }: Pick<VoiceChannel, "zone">): string {
  if (!zone) return "";
  const side = (at: 0 | 2): string => String(Math.round((zone.greatest[at] - zone.least[at]) * 10) / 10);
  return `Whoever stands in its ${side(0)} × ${side(2)} m area`;
}

/** The channel in whose area somebody stands; null where they stand in none. */
export function areaOf(
  { channelId, inArea }: Pick<PersonView, "inArea"> & { channelId: ChannelId | null },
  channels: VoiceView["channels"],
): VoiceChannel | null {
  const there = channels.find(({ channel }) => channel.channel_id === channelId)?.channel;
  return inArea ? (there ?? null) : null;
}

/** How one gets into the channel that one chose, while one stands in another's area; null where nothing is in the way. */
export function wayWords(
  { channel_id }: Pick<VoiceChannel, "channel_id">,
  { own, channels }: Pick<VoiceView, "own" | "channels">,
): string | null {
  const area = areaOf(own, channels);
  if (!area || channel_id !== own.putId || channel_id === own.channelId) return null;
  return `Walk out of ${area.name} to be here`;
}
