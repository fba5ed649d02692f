/** Who is not heard, and not in the lists of voices either: taken out by owners, or blocked by oneself. Each may be let back. */

import type { VoiceView } from "../voice/types";
import { busy, button, fill, h } from "./dom";
import { disc } from "./person";
import { faceOf, tried, type VoiceDesk } from "./voicedesk";

/** One of the two lists. */
interface Kind {
  readonly title: string;
  readonly testid: string;
  readonly back: string;
  still(name: string): string;
  letBack(userId: string): Promise<void>;
}

export class VoiceKeptOut {
  readonly element = h("div", { class: "voice-lists" });
  private readonly out: Kind;
  private readonly blocks: Kind;
  private shown = "";

  constructor(private readonly desk: VoiceDesk) {
    const { voice } = desk;
    this.out = {
      title: "Taken out of voice",
      testid: "voice-removed",
      back: "Let back in",
      still: (name) => `${name} still cannot come back.`,
      letBack: (userId) => voice.remove(userId, false),
    };
    this.blocks = {
      title: "Blocked by you",
      testid: "voice-blocked",
      back: "Unblock",
      still: (name) => `${name} is still blocked.`,
      letBack: (userId) => voice.block(userId, false),
    };
  }

  /** Shows both as they are; whoever is blocked and in voice is among the others, with the same button. */
  render({ removed, blocked, people, own }: VoiceView): void {
    const there = new Set(people.map(({ userId }) => userId));
    const out = own.moderates ? removed : [];
    const apart = blocked.filter((userId) => !there.has(userId));
    const faces = [...out, ...apart].map((userId) => faceOf(this.desk, userId));
    const key = JSON.stringify([out, apart, faces]);
    if (key === this.shown) return;
    this.shown = key;
    fill(this.element, this.list(this.out, out), this.list(this.blocks, apart));
  }

  private list(kind: Kind, userIds: readonly string[]): HTMLElement | null {
    if (userIds.length === 0) return null;
    return h(
      "section",
      {},
      h("h3", {}, `${kind.title} · ${userIds.length}`),
      h("ul", { class: "people", testid: kind.testid }, ...userIds.map((userId) => this.row(kind, userId))),
    );
  }

  private row({ back, still, letBack }: Kind, userId: string): HTMLElement {
    const { name, color } = faceOf(this.desk, userId);
    const made: HTMLButtonElement = button(
      back,
      () => void busy(made, () => tried(this.desk, letBack(userId), still(name))),
      { class: "small", attrs: { "aria-label": `${back}: ${name}` } },
    );
    return h(
      "li",
      { class: "person unheard", attrs: { "data-user": userId } },
      disc(name, color),
      h("div", { class: "person-words" }, h("strong", {}, name)),
      h("div", { class: "person-actions" }, made),
    );
  }
}
