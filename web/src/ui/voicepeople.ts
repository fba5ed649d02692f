/** Who is in voice: oneself, the hands that are up in their order, then everybody by channel, last who is kept out. Rows stay while they change. */

import type { ChannelView, PersonView, VoiceView } from "../voice/types";
import { ask } from "./dialog";
import { busy, button, fill, h, put } from "./dom";
import { ago } from "./format";
import { icon } from "./icons";
import { disc } from "./person";
import { faceOf, tried, type VoiceDesk } from "./voicedesk";
import { VoiceKeptOut } from "./voicekeptout";
import { muteAll } from "./voicemoderation";
import { type HandUp, handsOf } from "./voiceorder";
import { VoicePersonRow } from "./voiceperson";
import { ownWords } from "./voicewords";

export class VoicePeoplePage {
  readonly element = h("div", { class: "panel-page voice-people", testid: "voice-people" });
  private readonly own = h("section", { class: "voice-self", attrs: { "aria-label": "You" } });
  private readonly hands = h("section", { class: "voice-hands", attrs: { "aria-label": "Hands up" } });
  private readonly lists = h("div", { class: "voice-lists" });
  private readonly rows = new Map<string, VoicePersonRow>();
  private readonly groups = new Map<
    string,
    { section: HTMLElement; title: HTMLElement; list: HTMLElement }
  >();
  private readonly nobody = h("p", { class: "note", testid: "voice-nobody" });
  private readonly keptOut: VoiceKeptOut;
  private ownShown = "";
  private handsShown = "";

  constructor(
    private readonly desk: VoiceDesk,
    private readonly ports: { onJoin(): void; onMute(): void },
  ) {
    this.keptOut = new VoiceKeptOut(desk);
    fill(this.element, this.own, this.hands, this.nobody, this.lists, this.keptOut.element);
  }

  /** Shows everything as it is now. */
  render(): void {
    const { view } = this.desk.voice;
    this.renderOwn(view);
    this.renderHands(view);
    const others = view.people.length;
    this.nobody.hidden = others > 0;
    this.nobody.textContent =
      view.status.kind === "joined"
        ? "You are alone in voice. Others appear when they join."
        : "Nobody is in voice now.";
    this.renderLists(view);
    this.keptOut.render(view);
  }

  /** The rings of whoever speaks. */
  move(): void {
    for (const row of this.rows.values()) row.move();
  }

  // -- oneself --

  private renderOwn(view: VoiceView): void {
    const joined = view.status.kind === "joined";
    const words = ownWords(view);
    const { own } = view;
    const mutable = joined && !own.listening && !own.muted;
    const key = JSON.stringify([view.status, words, own.moderates, own.selfMuted, view.people.length > 0]);
    if (key === this.ownShown) return;
    this.ownShown = key;
    const focused = document.activeElement?.getAttribute("data-testid");
    if (!joined) {
      const text =
        view.status.kind === "failed" || view.status.kind === "unavailable"
          ? view.status.text
          : "You neither hear the others nor are heard.";
      const join = button("Join voice", this.ports.onJoin, {
        kind: "primary",
        class: "small",
        testid: "voice-panel-join",
      });
      join.disabled = view.status.kind === "unavailable" || view.status.kind === "joining";
      fill(this.own, h("div", {}, h("strong", {}, "You are not in voice"), h("p", {}, text)), join);
    } else {
      const mute = button(own.selfMuted ? "Unmute" : "Mute", this.ports.onMute, {
        class: "small",
        testid: "voice-panel-mute",
      });
      fill(
        this.own,
        h("span", { class: `voice-state-icon ${words.tone}` }, icon(words.icon, 19)),
        h("div", {}, h("strong", {}, words.title), h("p", {}, words.hint)),
        mutable ? mute : null,
        own.moderates && view.people.length > 0 ? this.muteAllButton() : null,
      );
    }
    if (focused) this.own.querySelector<HTMLElement>(`[data-testid="${focused}"]`)?.focus();
  }

  private muteAllButton(): HTMLElement {
    const made: HTMLButtonElement = button(
      "Mute everybody else",
      () => void busy(made, () => this.silenceAll()),
      {
        kind: "danger",
        class: "small voice-mute-all",
        testid: "voice-mute-all",
      },
    );
    return made;
  }

  private async silenceAll(): Promise<void> {
    const { desk } = this;
    const text = "Everybody in voice but you is muted until you let them speak again.";
    if (!(await ask("Mute everybody else?", text, [{ value: "mute", label: "Mute", danger: true }]))) return;
    const work = muteAll(
      desk.voice,
      desk.voice.view.people,
      (ms) => new Promise((done) => setTimeout(done, ms)),
    );
    if (await tried(desk, work, "Not everybody is muted."))
      desk.room.toasts.show("Everybody else is muted.", { tone: "good" });
  }

  // -- hands --

  private renderHands(view: VoiceView): void {
    const hands = handsOf(view);
    const key = JSON.stringify([hands, view.own.moderates, Math.floor(Date.now() / 30_000)]);
    this.hands.hidden = hands.length === 0;
    if (key === this.handsShown) return;
    this.handsShown = key;
    fill(
      this.hands,
      h("h3", {}, `Hands up · ${hands.length}`),
      h("ol", { testid: "voice-hands" }, ...hands.map((hand) => this.hand(hand, view.own.moderates))),
    );
  }

  private hand({ userId, atMs, own }: HandUp, moderates: boolean): HTMLElement {
    const { name, color } = faceOf(this.desk, userId);
    const lower = button(
      "Lower",
      () => {
        const work = own ? this.desk.voice.raiseHand(false) : this.desk.voice.lowerHand(userId);
        void tried(this.desk, work, "The hand is still up.");
      },
      { kind: "quiet", class: "small", attrs: { "aria-label": `Lower the hand of ${own ? "yours" : name}` } },
    );
    return h(
      "li",
      { testid: "voice-hand-up" },
      icon("hand", 17),
      disc(name, color),
      h("span", {}, h("strong", {}, own ? "You" : name), ` · ${ago(atMs, Date.now())}`),
      own || moderates ? lower : null,
    );
  }

  // -- everybody, by channel --

  private renderLists({ channels, people }: VoiceView): void {
    const known = new Map(people.map((person) => [person.userId, person]));
    for (const [userId, row] of this.rows)
      if (!known.has(userId)) {
        row.element.remove();
        this.rows.delete(userId);
      }
    const sorted = [...channels].sort((a, b) => Number(b.current) - Number(a.current));
    const ids = new Set(channels.map(({ channel }) => channel.channel_id));
    for (const [id, { section }] of this.groups)
      if (!ids.has(id)) {
        section.remove();
        this.groups.delete(id);
      }
    arrange(
      this.lists,
      sorted.map((channel) => this.group(channel, known)),
    );
  }

  private group(view: ChannelView, known: ReadonlyMap<string, PersonView>): HTMLElement {
    const { channel, current, userIds } = view;
    const made = this.groups.get(channel.channel_id) ?? this.makeGroup(channel.channel_id);
    const people = userIds.map((id) => known.get(id)).filter((person) => person !== undefined);
    made.section.hidden = people.length === 0;
    const words = `${channel.name}${current ? " · with you" : ""} · ${people.length}`;
    put(made.title, words);
    arrange(
      made.list,
      people.map((person) => {
        const row = this.rows.get(person.userId) ?? new VoicePersonRow(this.desk, person);
        this.rows.set(person.userId, row);
        row.show(person, current);
        return row.element;
      }),
    );
    return made.section;
  }

  private makeGroup(id: string): { section: HTMLElement; title: HTMLElement; list: HTMLElement } {
    const title = h("h3", {});
    const list = h("ul", { class: "people", testid: "voice-list" });
    const made = { section: h("section", {}, title, list), title, list };
    this.groups.set(id, made);
    return made;
  }
}

/** Puts elements in order, touching only what is elsewhere: a hand on a slider is not shaken off. */
function arrange(parent: HTMLElement, wanted: readonly HTMLElement[]): void {
  const focused = document.activeElement;
  wanted.forEach((element, at) => {
    const there = parent.children[at] ?? null;
    if (there !== element) parent.insertBefore(element, there);
  });
  if (focused instanceof HTMLElement && focused !== document.activeElement && parent.contains(focused))
    focused.focus({ preventScroll: true });
}
