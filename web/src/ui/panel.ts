/** The side panel of a room (a sheet from below on a phone): four pages as tabs, one at a time. */

import { button, fill, freshId, h } from "./dom";
import { type IconName, icon } from "./icons";

export interface Page {
  name: string;
  title: string;
  icon: IconName;
  element: HTMLElement;
  /** Called when it is shown. */
  refresh(): Promise<void>;
  /** Called while it is shown, from time to time. */
  live?(nowMs: number): void;
}

export class Panel {
  readonly element: HTMLElement;
  open: string | null = null;
  onToggle: (open: string | null) => void = () => {};
  private readonly tabs = new Map<string, HTMLButtonElement>();
  private readonly body = h("div", { class: "panel-body", attrs: { role: "tabpanel", tabindex: 0 } });
  private returnTo: HTMLElement | null = null;

  /** `name` is the class and the test id of a panel beside the room's own. */
  constructor(
    private readonly pages: readonly Page[],
    { name, label }: { name: string; label: string } = { name: "panel", label: "Room" },
  ) {
    const list = h("div", { class: "tabs", attrs: { role: "tablist", "aria-label": label } });
    for (const page of pages) {
      const tab = h(
        "button",
        {
          class: "tab",
          id: freshId("tab"),
          testid: `tab-${page.name}`,
          attrs: { type: "button", role: "tab", "aria-selected": "false", tabindex: -1 },
        },
        icon(page.icon, 18),
        h("span", {}, page.title),
      );
      tab.addEventListener("click", () => this.show(page.name));
      this.tabs.set(page.name, tab);
      list.append(tab);
    }
    list.addEventListener("keydown", (event) => this.arrows(event));
    const close = button(icon("close"), () => this.close(), {
      kind: "quiet",
      class: "icon-only panel-close",
      testid: `${name}-close`,
      attrs: { "aria-label": "Close the panel" },
    });
    this.element = h(
      "aside",
      { class: `panel ${name} glass`, testid: name, attrs: { "aria-label": `${label} panel` } },
      h("div", { class: "panel-head" }, list, close),
      this.body,
    );
    this.element.hidden = true;
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        event.stopPropagation();
        this.close();
      }
    });
  }

  toggle(name: string): void {
    if (this.open === name) this.close();
    else this.show(name);
  }

  show(name: string): void {
    const page = this.pages.find((candidate) => candidate.name === name);
    if (!page) return;
    if (this.open === null) this.returnTo = document.activeElement as HTMLElement | null;
    this.open = name;
    this.element.hidden = false;
    for (const [key, tab] of this.tabs) {
      tab.setAttribute("aria-selected", String(key === name));
      tab.tabIndex = key === name ? 0 : -1;
      if (key === name) this.body.setAttribute("aria-labelledby", tab.id);
    }
    fill(this.body, page.element);
    void page.refresh();
    const { activeElement } = document;
    const tabbed = activeElement?.getAttribute("role") === "tab" || activeElement === document.body;
    if (tabbed || !this.element.contains(activeElement)) this.tabs.get(name)?.focus({ preventScroll: true });
    this.onToggle(name);
  }

  /** Lets the page that is shown follow. */
  live(nowMs: number): void {
    this.pages.find(({ name }) => name === this.open)?.live?.(nowMs);
  }

  close(): void {
    if (this.open === null) return;
    this.open = null;
    this.element.hidden = true;
    this.returnTo?.focus({ preventScroll: true });
    this.onToggle(null);
  }

  private arrows(event: KeyboardEvent): void {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const at = this.pages.findIndex((page) => page.name === this.open);
    const next = this.pages[(at + step + this.pages.length) % this.pages.length];
    if (!next) return;
    event.preventDefault();
    this.show(next.name);
    this.tabs.get(next.name)?.focus();
  }
}
