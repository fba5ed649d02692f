/** The named revisions of a document: a list to jump by, and the form that gives the one being looked at a name. */

import type { HistoryPorts } from "../edit/desk";
import { LIMITS, type Milestone } from "../wire/generated";
import { busy, button, fill, h } from "./dom";
import { icon } from "./icons";
import type { Toasts } from "./toasts";

/** What naming and jumping need of the history. */
export interface MilestonePorts {
  /** The revision that is looked at. */
  looking(): number;
  /** Whether the role allows to name one. */
  mayName(): boolean;
  jump(revision: number): void;
  /** There are other names. */
  onChange(): void;
}

/** The names in the history of one document. */
export class Milestones {
  /** The names, newest revision first. */
  readonly element = h("ol", {
    class: "milestones",
    testid: "milestones",
    attrs: { "aria-label": "Named revisions" },
  });
  /** Opens the form. */
  readonly opener = button("Name this", () => this.open(), { class: "small", testid: "milestone-open" });
  readonly form: HTMLFormElement;
  private readonly input = h("input", {
    testid: "milestone-name",
    attrs: { type: "text", maxlength: LIMITS.SESSION_NAME_CHARS, required: true },
  });
  private readonly save = button("Save", () => {}, {
    kind: "primary",
    class: "small",
    testid: "milestone-save",
    attrs: { type: "submit" },
  });
  private named: readonly Milestone[] = [];
  private revision = 0;

  constructor(
    private readonly history: HistoryPorts,
    private readonly ports: MilestonePorts,
    private readonly toasts: Toasts,
  ) {
    const cancel = button("Cancel", () => this.close(), { kind: "quiet", class: "small" });
    this.form = h(
      "form",
      { class: "milestone-form", testid: "milestone-form" },
      this.input,
      this.save,
      cancel,
    );
    this.form.hidden = true;
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void busy(this.save, () => this.name());
    });
    this.form.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") this.close();
    });
  }

  /** Reads them anew; without an answer they stay as they were. */
  async refresh(): Promise<void> {
    try {
      this.named = (await this.history.milestones()).milestones;
      this.ports.onChange();
    } catch {
      // Names are a comfort: the history is there without them.
    }
  }

  /** What a revision is called. */
  namesOf(revision: number): string[] {
    return this.named.filter((one) => one.revision === revision).map(({ name }) => name);
  }

  /** Shows everything as it is now. */
  render(): void {
    const at = this.ports.looking();
    const may = this.ports.mayName() && at > 0;
    if (!may) this.form.hidden = true;
    this.opener.hidden = !may || !this.form.hidden;
    this.element.hidden = this.named.length === 0;
    fill(this.element, ...this.named.map((one) => this.item(one, at)));
  }

  private open(): void {
    this.revision = this.ports.looking();
    this.input.value = "";
    this.input.placeholder = `A name for revision ${this.revision}`;
    this.input.setAttribute("aria-label", this.input.placeholder);
    this.form.hidden = false;
    this.render();
    this.input.focus();
  }

  private close(): void {
    const inside = this.form.contains(document.activeElement);
    this.form.hidden = true;
    this.render();
    if (inside) this.opener.focus({ preventScroll: true });
  }

  private async name(): Promise<void> {
    const name = this.input.value.trim();
    if (name === "") return;
    try {
      const made = await this.history.name(name, this.revision);
      this.named = [...this.named, made].sort((one, other) => other.revision - one.revision);
      this.close();
      this.ports.onChange();
    } catch (thrown) {
      this.toasts.problem(thrown, "It has no name yet.");
    }
  }

  private item({ name, revision }: Milestone, at: number): HTMLElement {
    const line = h(
      "button",
      {
        class: "milestone",
        testid: "milestone",
        attrs: {
          type: "button",
          "aria-current": revision === at ? "true" : null,
          "aria-label": `${name}, revision ${revision}`,
        },
      },
      icon("flag", 15),
      h("span", {}, name),
      h("small", {}, String(revision)),
    );
    line.addEventListener("click", () => this.ports.jump(revision));
    return h("li", {}, line);
  }
}
