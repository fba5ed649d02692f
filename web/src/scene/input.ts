/** What hands do: keys, mouse, touch and joystick, gathered for one frame at a time. Knows nothing of the scene. */

import type { Wish } from "../motion/walker";

export interface Drag {
  dx: number;
  dy: number;
}

const MOVES: Record<string, "forward" | "back" | "left" | "right" | "turnLeft" | "turnRight" | "run"> = {
  KeyW: "forward",
  ArrowUp: "forward",
  KeyS: "back",
  ArrowDown: "back",
  KeyA: "left",
  KeyD: "right",
  ArrowLeft: "turnLeft",
  ArrowRight: "turnRight",
  KeyQ: "turnLeft",
  KeyE: "turnRight",
  ShiftLeft: "run",
  ShiftRight: "run",
};
const CLICK_PX = 7;
const CLICK_MS = 450;
const TURN_PX_PER_S = 520;

export class Input {
  /** In CSS pixels from the element's corner; null where no pointer is over the room. */
  hover: { x: number; y: number } | null = null;
  joystick = { right: 0, forward: 0 };
  lastUsedAt = performance.now();
  hoverMovedAt = 0;
  onClick: (x: number, y: number, besides: boolean) => void = () => {};
  /** While another hand holds something, dragging does not turn the view. */
  resting = false;
  private readonly held = new Set<string>();
  private readonly pointers = new Map<
    number,
    { x: number; y: number; startX: number; startY: number; at: number }
  >();
  private drag: Drag = { dx: 0, dy: 0 };
  private zoom = 0;
  private readonly abort = new AbortController();

  constructor(private readonly element: HTMLElement) {
    const { signal } = this.abort;
    const on = <K extends keyof HTMLElementEventMap>(
      kind: K,
      call: (event: HTMLElementEventMap[K]) => void,
    ): void => element.addEventListener(kind, call as EventListener, { signal, passive: false });
    on("pointerdown", (event) => this.down(event));
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => this.up(event, true));
    on("pointercancel", (event) => this.up(event, false));
    on("pointerleave", (event) => {
      if (event.pointerType === "mouse") this.hover = null;
    });
    on("wheel", (event) => {
      event.preventDefault();
      this.used();
      this.zoom += Math.sign(event.deltaY) * Math.min(1, Math.abs(event.deltaY) / 80);
    });
    on("contextmenu", (event) => event.preventDefault());
    window.addEventListener("keydown", (event) => this.key(event, true), { signal });
    window.addEventListener("keyup", (event) => this.key(event, false), { signal });
    window.addEventListener("blur", () => this.held.clear(), { signal });
  }

  wish(): Wish {
    const has = (name: string): number => (this.held.has(name) ? 1 : 0);
    return {
      right: has("right") - has("left") + this.joystick.right,
      forward: has("forward") - has("back") + this.joystick.forward,
      run: this.held.has("run") || Math.hypot(this.joystick.right, this.joystick.forward) > 0.96,
    };
  }

  /** How far the view was dragged since the last call, in pixels; held keys turn too. */
  takeDrag(elapsedS: number): Drag {
    const turn = (this.held.has("turnRight") ? 1 : 0) - (this.held.has("turnLeft") ? 1 : 0);
    const taken = { dx: this.drag.dx - turn * TURN_PX_PER_S * elapsedS, dy: this.drag.dy };
    this.drag = { dx: 0, dy: 0 };
    return taken;
  }

  /** Notches since the last call; positive is away. */
  takeZoom(): number {
    const taken = this.zoom;
    this.zoom = 0;
    return taken;
  }

  dispose(): void {
    this.abort.abort();
  }

  private used(): void {
    this.lastUsedAt = performance.now();
  }

  private key(event: KeyboardEvent, pressed: boolean): void {
    const name = MOVES[event.code];
    if (!name) return;
    if (!pressed) {
      this.held.delete(name);
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (event.code.startsWith("Arrow") && event.target !== this.element && event.target !== document.body)
      return;
    this.used();
    this.held.add(name);
    if (event.code.startsWith("Arrow")) event.preventDefault();
  }

  private at(event: PointerEvent): { x: number; y: number } {
    const box = this.element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  private down(event: PointerEvent): void {
    this.used();
    this.element.focus({ preventScroll: true });
    const { x, y } = this.at(event);
    this.pointers.set(event.pointerId, { x, y, startX: x, startY: y, at: performance.now() });
    try {
      this.element.setPointerCapture(event.pointerId);
    } catch {
      // The pointer is gone already (a synthetic or a cancelled one).
    }
  }

  private move(event: PointerEvent): void {
    this.used();
    const { x, y } = this.at(event);
    if (event.pointerType === "mouse") {
      this.hover = { x, y };
      this.hoverMovedAt = performance.now();
    }
    const known = this.pointers.get(event.pointerId);
    if (!known) return;
    const others = [...this.pointers.entries()].filter(([id]) => id !== event.pointerId).map(([, p]) => p);
    const other = others[0];
    if (this.resting) {
      // The gizmo has it.
    } else if (other) {
      const before = Math.hypot(known.x - other.x, known.y - other.y);
      const after = Math.hypot(x - other.x, y - other.y);
      this.zoom += (before - after) / 40;
    } else {
      this.drag.dx += x - known.x;
      this.drag.dy += y - known.y;
    }
    known.x = x;
    known.y = y;
  }

  private up(event: PointerEvent, completed: boolean): void {
    const known = this.pointers.get(event.pointerId);
    this.pointers.delete(event.pointerId);
    if (!known || !completed || this.resting || this.pointers.size > 0) return;
    const still = Math.hypot(known.x - known.startX, known.y - known.startY) < CLICK_PX;
    if (still && performance.now() - known.at < CLICK_MS) this.onClick(known.x, known.y, event.shiftKey);
  }
}

/** Whether keys belong to a field and not to the room. */
export function typing(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName))
  );
}
