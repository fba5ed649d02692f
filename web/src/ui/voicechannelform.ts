/** A channel's settings as a form: its name, how it sounds, who may be in it and speak, where it is. */

import { withChange } from "../voice/distance";
import { LAW } from "../voice/relations";
import {
  type ChannelKind,
  type Distance,
  type DistanceModel,
  LIMITS,
  type Speakers,
  type Vec3,
  type VoiceChannel,
  type VoiceChannelSettings,
  type Zone,
} from "../wire/generated";
import { busy, button, field, fill, h } from "./dom";
import { cleanName } from "./person";
import { zoneWords } from "./voicechannels";
import { DistanceCurve, metresText } from "./voicecurve";
import type { VoiceDesk } from "./voicedesk";
import { liveSlider, segmentsField } from "./voicefields";

const KIND: Record<ChannelKind, string> = {
  spatial: "Everybody is heard from where they stand.",
  stage: "Everybody is heard alike, from wherever they are.",
};
const MODEL: Record<DistanceModel, string> = {
  inverse: "As in the open air: fast at first, then slower.",
  linear: "Evenly, down to nothing at the end.",
  exponential: "Fast: for small circles that do not disturb each other.",
};
const PLACE = {
  choice: "One goes there by choice.",
  zone: "Whoever walks in is in it, whoever walks out is not.",
};

export interface ChannelFormPorts {
  onSave(settings: VoiceChannelSettings): Promise<void>;
  /** Null where it cannot be deleted. */
  onDelete: (() => Promise<void>) | null;
  onCancel(): void;
}

export class ChannelForm {
  readonly element: HTMLFormElement;
  private readonly name: HTMLInputElement;
  private readonly capacity: HTMLInputElement;
  private readonly speakers: HTMLSelectElement;
  private readonly named = h("fieldset", { class: "field named", testid: "channel-named" });
  private readonly law = h("div", { class: "stack distance" });
  private readonly area = h("div", { class: "stack" });
  private readonly areaWords = h("p", { class: "hint", testid: "channel-area" });
  private readonly curve = new DistanceCurve();
  private readonly chosen: Set<string>;
  private kind: ChannelKind;
  private distance: Required<Distance>;
  private zone: Zone | null;
  private radiusM: number;

  constructor(
    private readonly desk: VoiceDesk,
    private readonly channel: VoiceChannel | null,
    private readonly ports: ChannelFormPorts,
  ) {
    this.kind = channel?.kind ?? "spatial";
    this.distance = withChange({ ...LAW, ...channel?.distance }, {});
    this.zone = channel?.zone ?? null;
    this.radiusM = this.zone ? (this.zone.greatest[0] - this.zone.least[0]) / 2 : 4;
    this.chosen = new Set(channel?.speaker_ids ?? []);
    this.name = h("input", {
      testid: "channel-name",
      attrs: { type: "text", maxlength: LIMITS.VOICE_NAME_CHARS, required: true, autocomplete: "off" },
    });
    this.name.value = channel?.name ?? "";
    this.name.addEventListener("input", () => this.name.setCustomValidity(""));
    this.capacity = h("input", {
      testid: "channel-capacity",
      attrs: { type: "number", min: 1, max: LIMITS.VOICE_MEMBERS_MAX, required: true, inputmode: "numeric" },
    });
    this.capacity.value = String(channel?.capacity ?? LIMITS.VOICE_MEMBERS_MAX);
    this.speakers = this.speakersField(channel?.speakers ?? "everyone");
    this.element = this.build();
    this.follow();
  }

  focus(): void {
    this.element.scrollIntoView({ block: "nearest" });
    this.name.focus({ preventScroll: true });
  }

  private build(): HTMLFormElement {
    const { channel, ports } = this;
    const kind = segmentsField<ChannelKind>(
      "Sound",
      "channel-kind",
      [
        { value: "spatial", label: "Spatial" },
        { value: "stage", label: "Stage" },
      ],
      (value) => {
        this.kind = value;
        this.follow();
      },
      (value) => KIND[value],
    );
    kind.show(this.kind, true);
    fill(this.law, ...this.lawFields());
    const save = h(
      "button",
      { class: "button primary", testid: "channel-save", attrs: { type: "submit" } },
      channel ? "Save" : "Make it",
    );
    const remove = ports.onDelete
      ? button("Delete", () => void ports.onDelete?.(), { kind: "danger", testid: "channel-delete" })
      : null;
    const form = h(
      "form",
      { class: "stack channel-form", testid: "channel-form" },
      h("h3", {}, channel ? `Change ${channel.name}` : "New channel"),
      field("Name", this.name),
      kind.element,
      this.law,
      channel?.channel_id === "main" ? null : this.placeField(),
      field("Who may speak", this.speakers),
      this.named,
      field("People, at most", this.capacity),
      h(
        "div",
        { class: "actions" },
        remove,
        button("Cancel", () => ports.onCancel()),
        save,
      ),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const name = cleanName(this.name.value);
      this.name.setCustomValidity(name === null ? "Give it a name: blanks alone are none." : "");
      if (!this.name.reportValidity()) return; // says so beside the field, wherever that was scrolled to
      if (name) void busy(save, () => ports.onSave(this.value(name)));
    });
    return form;
  }

  private value(name: string): VoiceChannelSettings {
    return {
      name,
      kind: this.kind,
      capacity: Number(this.capacity.value),
      speakers: this.speakers.value as Speakers,
      speaker_ids:
        this.speakers.value === "named" ? [...this.chosen].slice(0, LIMITS.VOICE_SPEAKERS_MAX) : [],
      distance: this.distance,
      zone: this.zone,
    };
  }

  /** Shows what belongs to what is chosen. */
  private follow(): void {
    this.law.hidden = this.kind === "stage";
    this.area.hidden = this.zone === null;
    this.named.hidden = this.speakers.value !== "named";
    this.curve.show(this.distance);
    this.areaWords.textContent = zoneWords({ zone: this.zone });
  }

  // -- the distance law --

  private lawFields(): HTMLElement[] {
    const sliders: (() => void)[] = [];
    const set = (change: Partial<Distance>): void => {
      this.distance = withChange(this.distance, change);
      for (const show of sliders) show();
      this.follow();
    };
    const model = segmentsField<DistanceModel>(
      "Falls with distance",
      "channel-model",
      [
        { value: "inverse", label: "Natural" },
        { value: "linear", label: "Even" },
        { value: "exponential", label: "Steep" },
      ],
      (value) => set({ model: value }),
      (value) => MODEL[value],
    );
    model.show(this.distance.model, true);
    const slider = (
      label: string,
      key: "reference_m" | "rolloff" | "max_m",
      range: readonly [number, number, number],
      words: (value: number) => string,
    ): HTMLElement => {
      const made = liveSlider(label, `channel-${key}`, range, words, (value) => set({ [key]: value }));
      const show = (): void => made.show(this.distance[key], true);
      sliders.push(show);
      show();
      return made.element;
    };
    return [
      model.element,
      this.curve.element,
      slider("Full loudness up to", "reference_m", [0.5, 10, 0.5], metresText),
      slider("How fast it falls", "rolloff", [0, 4, 0.1], (value) => value.toFixed(1)),
      slider("Silent beyond", "max_m", [2, 120, 1], metresText),
    ];
  }

  // -- where it is --

  private placeField(): HTMLElement {
    const place = segmentsField<"choice" | "zone">(
      "How one gets in",
      "channel-place",
      [
        { value: "choice", label: "By choice" },
        { value: "zone", label: "By walking in" },
      ],
      (value) => {
        this.zone = value === "zone" ? (this.channel?.zone ?? this.around()) : null;
        this.follow();
      },
      (value) => PLACE[value],
    );
    place.show(this.zone ? "zone" : "choice", true);
    const radius = liveSlider("Around it", "channel-radius", [1, 20, 0.5], metresText, (value) => {
      this.radiusM = value;
      this.zone = this.zone && resized(this.zone, value);
      this.follow();
    });
    radius.show(this.radiusM, true);
    const here = button(
      "Put it where I stand",
      () => {
        this.zone = this.around();
        this.follow();
      },
      { class: "small", testid: "channel-here" },
    );
    fill(this.area, radius.element, h("div", { class: "voice-row-actions" }, here, this.areaWords));
    return h("div", { class: "stack" }, place.element, this.area);
  }

  private around(): Zone {
    return zoneAround(this.desk.position() ?? [0, 0, 0], this.radiusM);
  }

  // -- who may speak --

  private speakersField(chosen: Speakers): HTMLSelectElement {
    const options: [Speakers, string][] = [
      ["everyone", "Everyone"],
      ["editors", "Owners and editors"],
      ["named", "Chosen people"],
    ];
    const select = h(
      "select",
      { testid: "channel-speakers" },
      ...options.map(([value, text]) => h("option", { attrs: { value, selected: value === chosen } }, text)),
    );
    select.addEventListener("change", () => this.follow());
    fill(this.named, h("legend", {}, "Besides owners, these may speak"), ...this.candidates());
    return select;
  }

  private candidates(): HTMLElement[] {
    const people = new Map<string, string>();
    for (const userId of this.chosen) people.set(userId, this.desk.nameOf(userId));
    for (const { peer } of this.desk.room.roster.members.values()) people.set(peer.user_id, peer.name);
    return [...people].map(([userId, name]) => {
      const box = h("input", { attrs: { type: "checkbox", checked: this.chosen.has(userId) } });
      box.addEventListener("change", () => {
        if (box.checked) this.chosen.add(userId);
        else this.chosen.delete(userId);
      });
      return h("label", { class: "check" }, box, h("span", {}, name));
    });
  }
}

/** A box around a place on the floor, high enough for whoever stands there. */
export function zoneAround([x, , z]: Vec3, radiusM: number): Zone {
  const round = (value: number): number => Math.round(value * 100) / 100;
  return {
    least: [round(x - radiusM), -1, round(z - radiusM)],
    greatest: [round(x + radiusM), 4, round(z + radiusM)],
  };
}

function resized({ least, greatest }: Zone, radiusM: number): Zone {
  return zoneAround([(least[0] + greatest[0]) / 2, 0, (least[2] + greatest[2]) / 2], radiusM);
}
