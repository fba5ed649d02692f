/** How much the machine is asked to draw, and the rule by which `auto` finds its level. Pure. */

export type Level = "minimal" | "low" | "medium" | "high";
export type Quality = "auto" | Exclude<Level, "minimal">;

export interface Effort {
  /** Device pixels per CSS pixel, at most. */
  pixelRatio: number;
  antialias: boolean;
  shadows: boolean;
  reflections: boolean;
  /** Diffuse light only, a quieter sky. */
  plain: boolean;
  /** Frames are not drawn closer together than this: a processor that draws has other work too. */
  frameMs: number;
  /** Names are larger where pixels are. */
  labelSize: number;
}

export const EFFORTS: Record<Level, Effort> = {
  minimal: {
    pixelRatio: 0.5,
    antialias: false,
    shadows: false,
    reflections: false,
    plain: true,
    frameMs: 45,
    labelSize: 1.5,
  },
  low: {
    pixelRatio: 0.75,
    antialias: false,
    shadows: false,
    reflections: false,
    plain: true,
    frameMs: 0,
    labelSize: 1.15,
  },
  medium: {
    pixelRatio: 1,
    antialias: true,
    shadows: false,
    reflections: true,
    plain: false,
    frameMs: 0,
    labelSize: 1,
  },
  high: {
    pixelRatio: 2,
    antialias: true,
    shadows: true,
    reflections: true,
    plain: false,
    frameMs: 0,
    labelSize: 1,
  },
};

const ORDER: readonly Level[] = ["minimal", "low", "medium", "high"];
const SLOW_FPS = 28;
const FAST_FPS = 57;
const PATIENCE_S = 4;

/** A renderer that draws in software starts at the least; a phone starts medium. */
export function firstLevel(rendererName: string, coarsePointer: boolean): Level {
  if (/swiftshader|llvmpipe|software|basic render/i.test(rendererName)) return "minimal";
  return coarsePointer ? "medium" : "high";
}

/** Steps down where frames stay slow, up where they stay fast; never up again to what proved too much. */
export class Governor {
  private slowS = 0;
  private fastS = 0;
  private ceiling: Level = "high";

  constructor(public level: Level) {}

  /** One second's figure; the level that follows. */
  observe(fps: number): Level {
    this.slowS = fps < SLOW_FPS ? this.slowS + 1 : 0;
    this.fastS = fps > FAST_FPS ? this.fastS + 1 : 0;
    const at = ORDER.indexOf(this.level);
    if (this.slowS >= PATIENCE_S && at > 0) {
      this.level = ORDER[at - 1] ?? "minimal";
      this.ceiling = this.level;
      this.slowS = 0;
    } else if (this.fastS >= PATIENCE_S * 3 && at < ORDER.indexOf(this.ceiling)) {
      this.level = ORDER[at + 1] ?? "high";
      this.fastS = 0;
    }
    return this.level;
  }
}
