/** What moves with a voice: a meter, and a ring around a button or a face. Drawn while it is shown, in steps that can be seen. */

import { h } from "./dom";
import { meterOf } from "./voicescale";

/** Calls in every frame that is drawn, while there is anybody to call. */
export class Beat {
  private readonly calls = new Set<() => void>();
  private frame = 0;

  /** Returns how to stop. */
  add(call: () => void): () => void {
    this.calls.add(call);
    if (this.frame === 0) this.frame = requestAnimationFrame(this.tick);
    return () => {
      this.calls.delete(call);
    };
  }

  dispose(): void {
    this.calls.clear();
    cancelAnimationFrame(this.frame);
    this.frame = 0;
  }

  private readonly tick = (): void => {
    for (const call of this.calls) call();
    this.frame = this.calls.size > 0 ? requestAnimationFrame(this.tick) : 0;
  };
}

const STEPS = 30;

/** Gives an element `--level`, 0 to 1; its style says what that looks like. */
export class Level {
  private shown = -1;

  constructor(private readonly element: HTMLElement) {}

  show(level: number): void {
    const step = Math.round(level * STEPS);
    if (step === this.shown) return;
    this.shown = step;
    this.element.style.setProperty("--level", String(step / STEPS));
  }
}

/** A meter of the microphone, with the threshold of voice activation on it where there is one. */
export class Meter {
  readonly element: HTMLElement;
  private readonly level: Level;
  private readonly mark = h("b", { attrs: { "aria-hidden": "true" } });
  private said = -1;

  constructor(label: string) {
    this.element = h(
      "div",
      {
        class: "meter",
        testid: "voice-meter",
        attrs: { role: "meter", "aria-label": label, "aria-valuemin": 0, "aria-valuemax": 10 },
      },
      h("i", {}),
      this.mark,
    );
    this.level = new Level(this.element);
    this.threshold(null);
    this.show(Number.NEGATIVE_INFINITY);
  }

  /** In dBFS. */
  show(levelDb: number): void {
    const level = meterOf(levelDb);
    this.level.show(level);
    const tenths = Math.round(level * 10);
    if (tenths === this.said) return;
    this.said = tenths;
    this.element.setAttribute("aria-valuenow", String(tenths));
  }

  /** From where on it counts as speech, in dBFS; null: always. */
  threshold(thresholdDb: number | null): void {
    this.mark.hidden = thresholdDb === null;
    if (thresholdDb !== null) this.mark.style.setProperty("left", `${meterOf(thresholdDb) * 100}%`);
  }
}
