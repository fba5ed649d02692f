/**
 * The history of the scene: a slider through all revisions that shows each of them in the room, and restores it.
 *
 * Looking at the past changes nothing; while one looks, nothing can be edited. Restoring makes new revisions.
 */

import type { HistoryPorts } from "../edit/desk";
import type { Editor } from "../edit/editor";
import { commitWords } from "../edit/words";
import type { Entity } from "../ot/state";
import type { Commit } from "../wire/generated";
import { ask } from "./dialog";
import { busy, button, fill, h } from "./dom";
import { ago } from "./format";
import { Milestones } from "./milestones";
import type { Toasts } from "./toasts";

const SLIDE_MS = 140;
const KEPT = 500;

/** The history as a page of a panel. */
export class HistoryPanel {
  readonly element = h("div", { class: "panel-page history", testid: "history-panel" });
  private readonly slider = h("input", {
    testid: "history-slider",
    attrs: { type: "range", min: 0, step: 1, "aria-label": "Revision" },
  });
  private readonly words = h("p", {
    class: "history-words",
    testid: "history-words",
    attrs: { "aria-live": "polite" },
  });
  private readonly list = h("ol", { class: "feed history-list", testid: "history-list" });
  private readonly actions = h("div", { class: "history-actions" });
  private readonly older = button("Earlier", () => void busy(this.older, () => this.more()), {
    testid: "history-more",
  });
  private readonly named: Milestones;
  private commits: Commit[] = [];
  private aside: readonly Commit[] = [];
  private before: number | null = null;
  private whole = false;
  private wanted: number | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private reading = 0;
  private readonly stops: (() => void)[];

  constructor(
    private readonly editor: Editor,
    private readonly ports: HistoryPorts,
    private readonly toasts: Toasts,
  ) {
    this.named = new Milestones(
      ports,
      {
        looking: () => this.wanted ?? editor.document.revision,
        mayName: () => editor.mayEdit(),
        jump: (revision) => void this.look(revision),
        onChange: () => this.render(),
      },
      toasts,
    );
    this.slider.addEventListener("input", () => this.slide(Number(this.slider.value)));
    this.element.addEventListener("keydown", (event) => {
      // Arrows on the slider are the slider's, not the room's.
      if (event.key.startsWith("Arrow")) event.stopPropagation();
    });
    fill(
      this.element,
      h("div", { class: "history-now" }, this.slider, this.words, this.actions, this.named.form),
      this.named.element,
      this.list,
      this.older,
    );
    this.stops = [
      editor.document.onCommit((commit) => this.heard(commit)),
      editor.document.onStatus(() => this.element.isConnected && this.render()),
    ];
  }

  async refresh(): Promise<void> {
    this.commits = [];
    this.before = null;
    this.whole = false;
    await Promise.all([this.more(), this.named.refresh()]);
  }

  /** Back to the present. */
  leave(): void {
    if (this.timer) clearTimeout(this.timer);
    this.reading += 1;
    this.wanted = null;
    if (this.editor.past !== null) this.editor.show(null);
    this.render();
  }

  dispose(): void {
    if (this.timer) clearTimeout(this.timer);
    for (const stop of this.stops) stop();
  }

  private async more(): Promise<void> {
    try {
      const page = await this.ports.history(this.before);
      const known = new Set(this.commits.map(({ revision }) => revision));
      this.commits.push(...page.entries.filter(({ revision }) => !known.has(revision)));
      this.before = page.before ?? null;
      this.whole = this.before === null;
    } catch (thrown) {
      this.toasts.problem(thrown, "The history could not be read.");
    }
    this.render();
  }

  private heard(commit: Commit): void {
    if (!this.element.isConnected || this.commits.some(({ revision }) => revision === commit.revision))
      return;
    this.commits.unshift(commit);
    this.commits.length = Math.min(this.commits.length, KEPT);
    this.render();
  }

  /** The hand may pass many revisions; the one where it rests is read. */
  private slide(revision: number): void {
    this.wanted = revision;
    this.say(revision);
    if (this.timer) clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.look(revision), SLIDE_MS);
  }

  private async look(revision: number): Promise<void> {
    if (revision >= this.editor.document.revision) {
      this.leave();
      return;
    }
    this.reading += 1;
    const reading = this.reading;
    this.wanted = revision;
    try {
      const [{ entities }] = await Promise.all([this.ports.stateAt(revision), this.learn(revision)]);
      if (reading !== this.reading) return;
      this.editor.show(revision, new Map(Object.entries(entities) as [string, Entity][]));
    } catch (thrown) {
      if (reading === this.reading) this.toasts.problem(thrown, "That revision could not be read.");
    }
    this.render();
  }

  /** What a revision did that the list has not come to yet. */
  private async learn(revision: number): Promise<void> {
    if (this.commitAt(revision)) return;
    const { entries } = await this.ports.history(revision + 1);
    this.aside = entries;
  }

  private commitAt(revision: number): Commit | undefined {
    return [...this.commits, ...this.aside].find((commit) => commit.revision === revision);
  }

  private async restore(): Promise<void> {
    const revision = this.editor.past;
    if (revision === null) return;
    const text = "Everything becomes as it was then, for everybody. What came after stays in the history.";
    const answer = await ask(`Restore revision ${revision}?`, text, [{ value: "restore", label: "Restore" }]);
    if (!answer) return;
    try {
      await this.ports.restore(revision);
      this.toasts.show(`Revision ${revision} is back.`, { tone: "good" });
      this.leave();
    } catch (thrown) {
      this.toasts.problem(thrown, "Nothing was restored.");
    }
  }

  private render(): void {
    const { document, past } = this.editor;
    const head = document.revision;
    const at = this.wanted ?? head;
    this.slider.max = String(head);
    this.slider.value = String(at);
    this.slider.disabled = head === 0;
    this.slider.style.setProperty("--done", `${head === 0 ? 100 : (at / head) * 100}%`);
    this.say(at);
    this.older.hidden = this.whole;
    fill(this.list, ...this.commits.map((commit) => this.item(commit, at)));
    this.named.render();
    if (past === null) {
      fill(this.actions, this.named.opener);
      return;
    }
    const now = button("Back to now", () => this.leave(), { class: "small", testid: "history-now" });
    const restore = button("Restore this", () => void busy(restore, () => this.restore()), {
      kind: "primary",
      class: "small",
      testid: "history-restore",
    });
    fill(this.actions, this.restorable() ? restore : null, now, this.named.opener);
  }

  /** The role decides; that the past is shown does not forbid to bring it back. */
  private restorable(): boolean {
    return this.editor.mayEdit();
  }

  private say(revision: number): void {
    const head = this.editor.document.revision;
    const commit = this.commitAt(revision);
    const who = commit
      ? `${this.editor.peopleName(commit.user_id)} ${this.deed(commit)}`
      : revision === 0
        ? "Before anything was added"
        : "";
    const when = commit ? ` · ${ago(commit.at_ms, Date.now())}` : "";
    const place = revision >= head ? `Now, revision ${head}` : `Revision ${revision} of ${head}${when}`;
    fill(this.words, h("strong", {}, place), who ? h("span", {}, who) : null);
    this.slider.setAttribute("aria-valuetext", `${place}. ${who}`);
    this.slider.style.setProperty("--done", `${head === 0 ? 100 : (revision / head) * 100}%`);
  }

  private deed({ operations }: Commit): string {
    return commitWords(operations, this.editor.document.entities);
  }

  private item(commit: Commit, at: number): HTMLElement {
    const line = h(
      "button",
      {
        class: "history-item",
        testid: "history-item",
        attrs: { type: "button", "aria-current": commit.revision === at ? "true" : null },
      },
      h("span", { class: "history-revision" }, String(commit.revision)),
      h(
        "span",
        { class: "history-deed" },
        h("strong", {}, this.editor.peopleName(commit.user_id)),
        ` ${this.deed(commit)}`,
        ...this.named.namesOf(commit.revision).map((name) => h("em", { class: "history-name" }, name)),
      ),
      h("time", { attrs: { datetime: new Date(commit.at_ms).toISOString() } }, ago(commit.at_ms, Date.now())),
    );
    line.addEventListener("click", () => void this.look(commit.revision));
    return h("li", {}, line);
  }
}
