/** What frames a room: the bar above, the stage, the hands' controls below, the banner, the panel. */

import type { Standing } from "../peers/watch";
import type { State } from "../presence/states";
import type { Mode } from "../scene/view";
import { BarsIcon, barsText } from "./bars";
import type { Details } from "./details";
import { button, type Child, fill, h, put } from "./dom";
import { msText, standingLines } from "./figures";
import { type IconName, icon, mark } from "./icons";
import { joystick } from "./joystick";
import type { Panel } from "./panel";
import { disc } from "./person";

export interface ShellPorts {
  panel: Panel;
  toasts: HTMLElement;
  details: Details;
  onMode(): void;
  onPreferences(): void;
  onShortcuts(): void;
  onLeave(): void;
  onRetry(): void;
  onConnection(): void;
  onJoystick(right: number, forward: number): void;
}

export interface ConnectionView {
  state: State;
  standing: Standing;
  retryInMs: number;
  failures: number;
}

const STATE_TEXT: Record<State, string> = {
  idle: "Starting",
  connecting: "Connecting",
  live: "Live",
  renewing: "Live",
  waiting: "Reconnecting",
  offline: "Offline",
  over: "Ended",
};

export class Shell {
  readonly element: HTMLElement;
  readonly stage = h("div", {
    class: "stage",
    testid: "stage",
    attrs: {
      tabindex: 0,
      role: "application",
      "aria-label": "The room in 3D. Press question mark for the keys.",
    },
  });
  private readonly title = h("h1", { class: "room-title", testid: "room-name" });
  private readonly chip = h("button", { class: "chip", testid: "connection", attrs: { type: "button" } });
  private readonly chipBars = new BarsIcon();
  private readonly chipWords = h("span", { class: "chip-words wide-only" });
  private readonly chipShort = h("span", { class: "chip-words narrow-only" });
  private readonly chipRtt = h("span", { class: "chip-rtt wide-only" });
  private readonly said = h("p", { class: "sr-only", testid: "announced", attrs: { role: "status" } });
  private standing: Standing | null = null;
  private readonly faces = h("span", { class: "faces" });
  private readonly count = h("span", { class: "count", testid: "people-count" });
  private readonly mode = h("button", { class: "button mode", testid: "mode", attrs: { type: "button" } });
  private readonly banner = h("div", { class: "banner", testid: "banner", attrs: { role: "status" } });
  private readonly bannerText = h("span", {});
  private readonly focusText = h("p", {
    class: "focus-text",
    testid: "selection",
    attrs: { "aria-live": "polite" },
  });
  private readonly figures = h("pre", {
    class: "figures",
    testid: "figures",
    attrs: { "aria-hidden": "true" },
  });
  /** Beside what connects: what everybody is to see. */
  readonly beside = h("div", { class: "bar-line" });
  /** Where the hands' controls are. */
  readonly below = h("div", { class: "below" });
  private readonly openers = new Map<string, HTMLButtonElement>();

  constructor(private readonly ports: ShellPorts) {
    this.mode.addEventListener("click", () => ports.onMode());
    const retry = button("Try now", ports.onRetry, { testid: "retry-now" });
    fill(
      this.banner,
      h("span", { class: "spinner", attrs: { "aria-hidden": "true" } }),
      this.bannerText,
      retry,
    );
    fill(this.below, joystick(ports.onJoystick), this.focusText, this.mode);
    this.banner.hidden = true;
    this.figures.hidden = true;
    this.element = h(
      "div",
      { class: "room", testid: "room" },
      this.stage,
      h("header", { class: "bar" }, this.left(), this.right()),
      this.banner,
      ports.panel.element,
      this.below,
      ports.toasts,
      this.figures,
      this.said,
      ports.details.element,
    );
    ports.panel.onToggle = (open) => {
      this.element.classList.toggle("with-panel", open !== null);
      for (const [name, opener] of this.openers) opener.setAttribute("aria-expanded", String(name === open));
    };
  }

  rename(title: string): void {
    this.title.textContent = title;
    this.title.title = title;
    document.title = `${title} · Holodeck`;
  }

  setMode(mode: Mode): void {
    const walking = mode === "walk";
    fill(
      this.mode,
      icon(walking ? "walk" : "orbit", 18),
      h("span", {}, walking ? "Walk" : "Orbit"),
      h("kbd", {}, "V"),
    );
    this.mode.setAttribute(
      "aria-label",
      walking ? "Walking; switch to orbit" : "In orbit; switch to walking",
    );
  }

  setPeople(people: readonly { name: string; color: string }[]): void {
    this.count.textContent = String(people.length);
    this.openers.get("people")?.setAttribute("aria-label", `People: ${people.length}`);
    fill(this.faces, ...people.slice(0, 4).map(({ name, color }) => disc(name, color)));
  }

  setFocus(text: string): void {
    put(this.focusText, text);
  }

  setFigures(text: string | null): void {
    this.figures.hidden = text === null;
    this.figures.textContent = text ?? "";
  }

  setConnection(view: ConnectionView): void {
    const { state, standing } = view;
    const live = state === "live" || state === "renewing";
    this.standing = standing;
    const bars = live ? standing.bars : state === "connecting" || state === "idle" ? null : 0;
    const words = live ? standing.text : STATE_TEXT[state];
    const rtt = live && standing.rttMs !== null ? ` · ${msText(standing.rttMs)}` : "";
    this.chipBars.show(bars);
    put(this.chipWords, words);
    put(this.chipShort, live ? standing.short : words);
    put(this.chipRtt, rtt);
    const label = `Connection: ${words}. ${barsText(bars)}`;
    if (this.chip.getAttribute("aria-label") !== label) this.chip.setAttribute("aria-label", label);
    const lost = state === "waiting" || state === "offline" || (state === "connecting" && view.failures > 0);
    this.banner.hidden = !lost;
    if (lost) this.bannerText.textContent = bannerText(view);
  }

  /** Read out, not shown. */
  announce(text: string): void {
    this.said.textContent = text;
  }

  private left(): HTMLElement {
    fill(this.chip, this.chipBars.element, this.chipWords, this.chipShort, this.chipRtt);
    fill(this.beside, this.chip);
    this.chip.addEventListener("click", () => this.ports.onConnection());
    const lines = (): Child[] => (this.standing ? standingLines("Your connection", this.standing) : []);
    this.ports.details.attach(this.chip, lines, false);
    return h(
      "div",
      { class: "bar-left glass" },
      h("span", { class: "bar-mark" }, mark(26)),
      h("div", { class: "bar-title" }, this.title, this.beside),
    );
  }

  private right(): HTMLElement {
    const { panel } = this.ports;
    const people = this.opener("people", "People", [this.faces, icon("people", 19), this.count]);
    const invite = this.opener("invite", "Invite", [
      icon("link", 19),
      h("span", { class: "wide-only" }, "Invite"),
    ]);
    invite.classList.add("primary");
    const menu = h(
      "nav",
      { class: "bar-right", attrs: { "aria-label": "Room" } },
      people,
      invite,
      this.opener("activity", "Activity", [icon("activity", 19)], "wide-only"),
      this.opener("room", "Room settings", [icon("room", 19)], "wide-only"),
      this.plain("tune", "Preferences", "open-preferences", this.ports.onPreferences),
      this.plain("help", "Keys", "open-shortcuts", this.ports.onShortcuts, "wide-only"),
      this.plain("leave", "Leave", "leave", this.ports.onLeave),
    );
    for (const [name, opener] of this.openers) opener.addEventListener("click", () => panel.toggle(name));
    return menu;
  }

  private opener(name: string, label: string, children: (Node | string)[], more = ""): HTMLButtonElement {
    const attrs = { type: "button", "aria-expanded": "false", "aria-label": label, title: label };
    const made = h(
      "button",
      { class: `button glass ${more}`.trim(), testid: `open-${name}`, attrs },
      ...children,
    );
    this.openers.set(name, made);
    return made;
  }

  private plain(
    name: IconName,
    label: string,
    testid: string,
    onClick: () => void,
    more = "",
  ): HTMLButtonElement {
    const attrs = { "aria-label": label, title: label };
    return button(icon(name, 19), onClick, { class: `glass ${more}`, testid, attrs });
  }
}

function bannerText({ state, retryInMs }: ConnectionView): string {
  if (state === "offline") return "You are offline. What you change is kept, and sent when you are back.";
  if (state === "connecting") return "Connecting again…";
  const seconds = Math.ceil(retryInMs / 1000);
  return seconds > 1 ? `Connection lost. Trying again in ${seconds} s…` : "Connection lost. Trying again…";
}
