/** A thumb's joystick for touch screens. */

import { h } from "./dom";

const REACH_PX = 46;

export function joystick(onMove: (right: number, forward: number) => void): HTMLElement {
  const knob = h("span", { class: "knob" });
  const pad = h("div", { class: "joystick", testid: "joystick", attrs: { "aria-hidden": "true" } }, knob);
  let pointer: number | null = null;
  const move = (event: PointerEvent): void => {
    if (event.pointerId !== pointer) return;
    const box = pad.getBoundingClientRect();
    const dx = event.clientX - box.left - box.width / 2;
    const dy = event.clientY - box.top - box.height / 2;
    const length = Math.max(1, Math.hypot(dx, dy) / REACH_PX);
    knob.style.transform = `translate(${dx / length}px, ${dy / length}px)`;
    onMove(dx / length / REACH_PX, -dy / length / REACH_PX);
  };
  const end = (event: PointerEvent): void => {
    if (event.pointerId !== pointer) return;
    pointer = null;
    knob.style.transform = "";
    onMove(0, 0);
  };
  pad.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    pointer = event.pointerId;
    pad.setPointerCapture(event.pointerId);
    move(event);
  });
  pad.addEventListener("pointermove", move);
  pad.addEventListener("pointerup", end);
  pad.addEventListener("pointercancel", end);
  return pad;
}
