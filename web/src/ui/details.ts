/** A small card of details beside whatever has them: on hover, on focus, by a tap; Escape puts it away. One a room. */

import { type Child, fill, freshId, h } from "./dom";

const GAP_PX = 8;
const EDGE_PX = 10;

export class Details {
  readonly element = h("div", {
    class: "details",
    id: freshId("details"),
    testid: "details",
    attrs: { role: "tooltip" },
  });
  private anchor: HTMLElement | null = null;
  private content: () => Child[] = () => [];
  private clear: HTMLElement | null = null;
  private pinned = false;

  constructor() {
    this.element.hidden = true;
  }

  /** Gives an element details. `pins`: a click or tap keeps them open; otherwise it is left to the element. They cover nothing of `clear`. */
  attach(anchor: HTMLElement, content: () => Child[], pins = true, clear: HTMLElement = anchor): void {
    anchor.addEventListener("pointerenter", (event) => {
      if (event.pointerType === "mouse") this.show(anchor, content, clear);
    });
    anchor.addEventListener("pointerleave", () => {
      if (this.anchor === anchor && !this.pinned && document.activeElement !== anchor) this.hide();
    });
    anchor.addEventListener("focus", () => {
      if (anchor.matches(":focus-visible")) this.show(anchor, content, clear);
    });
    anchor.addEventListener("blur", () => {
      if (this.anchor === anchor) this.hide();
    });
    anchor.addEventListener("click", () => {
      const put = pins && !(this.anchor === anchor && this.pinned);
      if (put) this.show(anchor, content, clear);
      else this.hide();
      this.pinned = put;
    });
    anchor.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || this.anchor !== anchor) return;
      event.stopPropagation();
      this.hide();
    });
  }

  /** Shows the newest, if anything is shown. */
  refresh(): void {
    if (!this.anchor) return;
    if (this.anchor.isConnected && this.anchor.offsetParent !== null) {
      fill(this.element, ...this.content());
      this.place(this.anchor);
    } else this.hide();
  }

  private show(anchor: HTMLElement, content: () => Child[], clear: HTMLElement): void {
    if (this.anchor !== anchor) this.hide();
    this.anchor = anchor;
    this.content = content;
    this.clear = clear;
    anchor.setAttribute("aria-describedby", this.element.id);
    this.element.hidden = false;
    this.refresh();
  }

  hide(): void {
    this.anchor?.removeAttribute("aria-describedby");
    this.anchor = null;
    this.pinned = false;
    this.element.hidden = true;
  }

  /** Below what stays clear, or above where there is no room; never past the window's edge. */
  private place(anchor: HTMLElement): void {
    const at = anchor.getBoundingClientRect();
    const clear = (this.clear ?? anchor).getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.element;
    const left = Math.min(Math.max(EDGE_PX, at.left), window.innerWidth - width - EDGE_PX);
    const below = clear.bottom + GAP_PX;
    const top = below + height + EDGE_PX > window.innerHeight ? clear.top - GAP_PX - height : below;
    this.element.style.setProperty("left", `${Math.round(left)}px`);
    this.element.style.setProperty("top", `${Math.round(Math.max(EDGE_PX, top))}px`);
  }
}
