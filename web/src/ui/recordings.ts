/** The list of a room's recordings with what may be done to each, and the player of the one that is heard. */

import { filesKey, type Recordings } from "../voice/recordings";
import { MAIN_ID } from "../voice/where";
import type { Recording, RecordingId } from "../wire/generated";
import { ask } from "./dialog";
import { busy, button, type Child, fill, h, put } from "./dom";
import { ago } from "./format";
import { icon } from "./icons";
import { recordingWords } from "./recordingwords";
import { tried, type VoiceDesk } from "./voicedesk";
import { clockText } from "./voicescale";

export class RecordingsList {
  readonly element = h("section", { class: "recordings", testid: "recordings" });
  private readonly begin = button("Record", () => this.start(), {
    kind: "primary",
    class: "small",
    testid: "recording-start",
  });
  private readonly end = button("Stop recording", () => this.finish(), {
    kind: "danger",
    class: "small",
    testid: "recording-stop",
  });
  private readonly items = h("ol", { class: "recordings-list", testid: "recordings-list" });
  private readonly player: PlayerBar;
  private readonly stop: () => void;
  private shown = "";
  private over = false;
  private open = false;
  private followed: string | null = null;
  private revision = 0;
  /** The files that are shown, of one recording, as it was then. */
  private offered: { id: RecordingId; of: string; files: HTMLElement } | null = null;
  /** The line of the one that is recorded now: how long it is goes on. */
  private counted: { one: Recording; line: HTMLElement } | null = null;
  private readonly abort = new AbortController();

  constructor(
    private readonly desk: VoiceDesk,
    private readonly recordings: Recordings,
  ) {
    this.player = new PlayerBar(recordings);
    fill(this.element, h("div", { class: "row" }, this.begin, this.end), this.player.element, this.items);
    const stopList = recordings.onChange(() => this.render());
    const stopVoice = desk.voice.onChange(() => this.voiceChanged());
    const stopGone = recordings.onGone(({ name }) =>
      desk.room.toasts.show(`“${name}” was deleted: it is played no more.`),
    );
    const { signal } = this.abort;
    window.addEventListener("focus", () => recordings.soon(), { signal });
    document.addEventListener("visibilitychange", () => this.look(), { signal });
    this.stop = () => {
      stopList();
      stopVoice();
      stopGone();
      this.abort.abort();
    };
    this.render();
  }

  /** Whether the panel shows it: then the list is read, and again from time to time. */
  show(open: boolean): void {
    if (open && !this.open)
      void tried(this.desk, this.recordings.read(), "The recordings could not be listed.");
    this.open = open;
    this.look();
  }

  private look(): void {
    this.recordings.show(this.open && document.visibilityState === "visible");
  }

  dispose(): void {
    this.over = true;
    this.stop();
    this.recordings.close();
  }

  /** Another recording is under way than before, or none: the list is another. */
  private voiceChanged(): void {
    const { recording, revision } = this.desk.voice.view;
    const now = recording?.recording_id ?? null;
    if (now !== this.followed) {
      this.followed = now;
      void this.recordings.read().catch(() => {});
    } else if (revision !== this.revision) this.recordings.soon();
    this.revision = revision;
    this.render();
  }

  /** As it is now; about twice a second while it is shown. */
  render(): void {
    if (this.over) return;
    const { recording, own } = this.desk.voice.view;
    put(this.begin, `Record ${this.startsIn.name}`);
    this.begin.hidden = !own.moderates || recording !== null;
    this.end.hidden = !own.moderates || recording === null;
    this.player.render();
    const { list, known, player } = this.recordings;
    const nowMs = Date.now();
    const playing = player?.recording.recording_id;
    const key = JSON.stringify([
      list.map((one) => [one, ago(one.started_at_ms, nowMs)]),
      known,
      own.moderates,
      playing,
    ]);
    if (key === this.shown) {
      if (this.counted) put(this.counted.line, recordingWords(this.counted.one, recording, nowMs));
      return;
    }
    this.shown = key;
    this.counted = null;
    this.keepOffered();
    if (known && list.length === 0)
      fill(this.items, h("li", { class: "hint" }, "Nothing was recorded in this room yet."));
    else fill(this.items, ...list.map((one) => this.item(one, nowMs)));
  }

  private item(one: Recording, nowMs: number): HTMLLIElement {
    const moderates = this.desk.voice.view.own.moderates;
    const line = h("span", { class: "hint" }, recordingWords(one, this.desk.voice.view.recording, nowMs));
    if (one.status === "recording") this.counted = { one, line };
    const actions: Child[] = [];
    const heard = one.status === "ready" && !one.empty_because;
    if (heard)
      actions.push(
        this.act("Play here", "play", one, () => this.recordings.open(one.recording_id)),
        this.act("Download", "download", one, () => this.offer(one)),
      );
    if (moderates && heard && (one.mix === "none" || one.mix === "failed"))
      actions.push(this.act("Make a mix", "mix", one, () => this.recordings.mix(one.recording_id)));
    if (moderates && one.status !== "recording")
      actions.push(this.act(icon("trash"), "delete", one, () => this.remove(one)));
    return h(
      "li",
      { class: "recording", testid: "recording", attrs: { "data-status": one.status, "data-mix": one.mix } },
      h("strong", {}, one.name),
      line,
      h("div", { class: "row" }, ...actions),
      this.offered?.id === one.recording_id && this.offered.files,
    );
  }

  private act(label: Child, what: string, one: Recording, work: () => Promise<void>): HTMLButtonElement {
    const attrs = what === "delete" ? { "aria-label": `Delete ${one.name}` } : {};
    const made = button(
      label,
      () => void busy(made, () => tried(this.desk, work(), "Nothing was changed.")),
      { class: "small", kind: what === "delete" ? "quiet" : "plain", testid: `recording-${what}`, attrs },
    );
    return made;
  }

  /** The channel that is recorded if one starts now: the own one. */
  private get startsIn(): { id: string; name: string } {
    const { own, channels } = this.desk.voice.view;
    const id = own.channelId ?? MAIN_ID;
    const there = channels.find(({ channel }) => channel.channel_id === id)?.channel;
    return { id, name: there?.name ?? "Main" };
  }

  private start(): void {
    void busy(this.begin, () =>
      tried(this.desk, this.recordings.start(this.startsIn.id, null), "Nothing is recorded."),
    );
  }

  private finish(): void {
    const active = this.desk.voice.view.recording;
    if (active)
      void busy(this.end, () =>
        tried(this.desk, this.recordings.finish(active.recording_id), "It is still recorded."),
      );
  }

  private async remove(one: Recording): Promise<void> {
    const text = `“${one.name}” and all of its files are gone for everybody. This cannot be undone.`;
    if (
      (await ask("Delete the recording?", text, [{ value: "delete", label: "Delete", danger: true }])) ===
      "delete"
    )
      await this.recordings.remove(one.recording_id);
  }

  /** Shows the files below it: addresses end soon, so they are asked for now. */
  private async offer(one: Recording): Promise<void> {
    const { tracks = [], mix_url, timeline_url } = await this.recordings.files(one.recording_id);
    const links: [string, string][] = tracks.map(({ name, url }) => [name, url]);
    if (mix_url) links.unshift(["Everybody (mix)", mix_url]);
    if (timeline_url) links.push(["Timeline", timeline_url]);
    const list = h(
      "ul",
      { class: "recording-files", testid: "recording-files" },
      ...links.map(([name, url]) => h("li", {}, h("a", { attrs: { href: url, download: "" } }, name))),
    );
    this.offered = { id: one.recording_id, of: filesKey(one), files: list };
    this.shown = "";
    this.render();
  }

  /** Files of a recording that has others by now are asked for anew; those of one that is gone are gone too. */
  private keepOffered(): void {
    const { offered } = this;
    if (!offered) return;
    const one = this.recordings.list.find(({ recording_id }) => recording_id === offered.id);
    if (one && filesKey(one) === offered.of) return;
    this.offered = null;
    if (one) void this.offer(one).catch(() => {});
  }
}

/** Play, pause, and a scrubber. */
class PlayerBar {
  readonly element = h("div", { class: "recording-player", testid: "recording-player" });
  private readonly name = h("strong", {});
  private readonly who = h("span", { class: "hint", attrs: { "aria-live": "off" } });
  private readonly clock = h("span", { class: "hint" });
  private readonly toggle = button("Pause", () => this.press(), { class: "small", testid: "player-toggle" });
  private readonly scrubber = h("input", {
    testid: "player-scrubber",
    attrs: { type: "range", min: 0, step: 100, "aria-label": "Place in the recording" },
  });
  private held = false;

  constructor(private readonly recordings: Recordings) {
    const shut = button(icon("close"), () => recordings.shut(), {
      kind: "quiet",
      class: "icon-only",
      attrs: { "aria-label": "Stop playing" },
    });
    this.scrubber.addEventListener("input", () => {
      this.held = true;
    });
    this.scrubber.addEventListener("change", () => {
      this.held = false;
      recordings.player?.seek(Number(this.scrubber.value));
    });
    this.scrubber.addEventListener("keydown", (event) => event.stopPropagation());
    fill(
      this.element,
      h("div", { class: "row" }, this.name, shut),
      this.scrubber,
      h("div", { class: "row" }, this.toggle, this.clock, this.who),
    );
  }

  render(): void {
    const { player } = this.recordings;
    this.element.hidden = player === null;
    if (!player) return;
    const { durationMs, playing } = player;
    const at = this.held ? Number(this.scrubber.value) : player.positionMs;
    put(this.name, player.recording.name);
    put(this.toggle, playing ? "Pause" : "Play");
    put(this.clock, `${clockText(at)} of ${clockText(durationMs)}`);
    put(this.who, player.speakers.join(", "));
    this.scrubber.max = String(durationMs);
    this.scrubber.style.setProperty("--done", `${durationMs > 0 ? (at / durationMs) * 100 : 0}%`);
    if (!this.held) this.scrubber.value = String(at);
    this.scrubber.setAttribute("aria-valuetext", clockText(at));
  }

  private press(): void {
    const { player } = this.recordings;
    if (player?.playing) player.pause();
    else void player?.play();
  }
}
