/** The named revisions of the scene: one press shows each; whoever may edit names another. */

import type { HistoryPorts } from "../edit/desk";
import { LIMITS, type Milestone } from "../wire/generated";
import { askForLine } from "./dialog";
import { fill, h } from "./dom";
import { icon } from "./icons";
import type { Toasts } from "./toasts";

export class Milestones {
  readonly element = h("ul", {
    class: "milestones",
    testid: "milestones",
    attrs: { "aria-label": "Named revisions" },
  });
  private all: readonly Milestone[] = [];

  constructor(
    private readonly ports: HistoryPorts,
    private readonly toasts: Toasts,
    private readonly pick: (revision: number) => void,
    private readonly changed: () => void,
  ) {}

  async refresh(): Promise<void> {
    try {
      this.all = await this.ports.milestones();
    } catch (thrown) {
      this.toasts.problem(thrown, "The named revisions could not be read.");
    }
  }

  namesOf(revision: number): string {
    return this.all.flatMap((each) => (each.revision === revision ? [each.name] : [])).join(", ");
  }

  /** Asks for a name, and gives it to a revision. */
  async name(revision: number): Promise<void> {
    const text = "Everybody finds it in the history by this name.";
    const name = await askForLine(`Name revision ${revision}`, text, "Name", LIMITS.SESSION_NAME_CHARS);
    if (!name) return;
    try {
      const made = await this.ports.name(revision, name);
      this.all = [...this.all, made].sort((a, b) => b.revision - a.revision);
      this.toasts.show(`Revision ${revision} is “${name}” now.`, { tone: "good" });
    } catch (thrown) {
      this.toasts.problem(thrown, "It was not named.");
    }
    this.changed();
  }

  render(at: number): void {
    this.element.hidden = this.all.length === 0;
    fill(this.element, ...this.all.map((each) => this.item(each, at)));
  }

  private item({ name, revision }: Milestone, at: number): HTMLElement {
    const label = h("span", {}, name);
    const press = h(
      "button",
      {
        class: "milestone",
        testid: "milestone",
        attrs: {
          type: "button",
          title: `Revision ${revision}`,
          "aria-current": revision === at ? "true" : null,
        },
      },
      icon("flag"),
      label,
    );
    press.addEventListener("click", () => this.pick(revision));
    return h("li", {}, press);
  }
}
