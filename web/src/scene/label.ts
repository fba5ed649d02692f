/** Names as sprites: drawn once at a high resolution, shown at a readable size, faded with distance. Text only. */

import { CanvasTexture, LinearFilter, Sprite, SpriteMaterial, SRGBColorSpace } from "three";
import { pathOf } from "../ui/icons";

const FONT_PX = 44;
const HEIGHT_PX = 88;
const SIGN_PX = 46;
const FAMILY = '"Inter Variable", Inter, system-ui, sans-serif';

export interface LabelLook {
  text: string;
  color: string;
  /** A second, quieter word: a role or a state. */
  note?: string;
  small?: boolean;
  /** Drawn behind the words. */
  signs?: readonly Sign[];
}

/** What a name carries of somebody's voice. */
export type Sign = "hand" | "micOff";

const SIGN_COLOR: Record<Sign, string> = { hand: "#ffc46e", micOff: "#ffab9f" };

export class Label {
  readonly sprite: Sprite;
  private readonly material: SpriteMaterial;
  private aspect = 1;
  private drawn = "";
  private small = false;

  constructor(look: LabelLook) {
    this.material = new SpriteMaterial({
      transparent: true,
      depthTest: false,
      depthWrite: false,
      fog: false,
    });
    this.material.toneMapped = false;
    this.sprite = new Sprite(this.material);
    this.sprite.renderOrder = 10;
    this.sprite.center.set(0.5, 0);
    this.draw(look);
  }

  draw(look: LabelLook): void {
    const key = JSON.stringify(look);
    if (key === this.drawn) return;
    this.drawn = key;
    this.small = look.small ?? false;
    const canvas = document.createElement("canvas");
    const pen = canvas.getContext("2d");
    if (!pen) return;
    const text = shorten(look.text);
    pen.font = `600 ${FONT_PX}px ${FAMILY}`;
    const width = pen.measureText(text).width;
    pen.font = `500 ${FONT_PX * 0.72}px ${FAMILY}`;
    const noteWidth = look.note ? pen.measureText(look.note).width + 22 : 0;
    const signs = look.signs ?? [];
    canvas.width = Math.ceil(width + noteWidth + signs.length * (SIGN_PX + 10) + 96);
    canvas.height = HEIGHT_PX;
    this.aspect = canvas.width / HEIGHT_PX;
    pen.beginPath();
    pen.roundRect(2, 2, canvas.width - 4, HEIGHT_PX - 4, HEIGHT_PX / 2 - 2);
    pen.fillStyle = this.small ? look.color : "rgba(32, 22, 52, 0.78)";
    pen.fill();
    if (!this.small) {
      pen.beginPath();
      pen.arc(44, HEIGHT_PX / 2, 13, 0, Math.PI * 2);
      pen.fillStyle = look.color;
      pen.fill();
    }
    pen.textBaseline = "middle";
    pen.font = `600 ${FONT_PX}px ${FAMILY}`;
    pen.fillStyle = this.small ? inkOn(look.color) : "#fff6ec";
    const start = this.small ? 48 : 70;
    pen.fillText(text, start, HEIGHT_PX / 2 + 3);
    if (look.note) {
      pen.font = `500 ${FONT_PX * 0.72}px ${FAMILY}`;
      pen.fillStyle = "rgba(255, 226, 196, 0.78)";
      pen.fillText(look.note, start + width + 18, HEIGHT_PX / 2 + 4);
    }
    signs.forEach((sign, n) => {
      drawSign(pen, sign, start + width + noteWidth + 14 + n * (SIGN_PX + 10));
    });
    this.material.map?.dispose();
    const texture = new CanvasTexture(canvas);
    texture.colorSpace = SRGBColorSpace;
    texture.minFilter = LinearFilter;
    texture.generateMipmaps = false;
    this.material.map = texture;
    this.material.needsUpdate = true;
  }

  /** `size` 1 is the designed one, 0 hides. Grows a little with distance so that it can be read, then fades. */
  update(distanceM: number, size: number): void {
    const opacity = 1 - Math.min(1, Math.max(0, (distanceM - 26) / 16));
    this.sprite.visible = size > 0 && opacity > 0.01 && distanceM > 0.4;
    this.material.opacity = opacity;
    const height = size * (this.small ? 0.024 : 0.028) * Math.min(26, Math.max(2.4, distanceM));
    this.sprite.scale.set(height * this.aspect, height, 1);
  }

  dispose(): void {
    this.material.map?.dispose();
    this.material.dispose();
  }
}

function drawSign(pen: CanvasRenderingContext2D, sign: Sign, left: number): void {
  pen.save();
  pen.translate(left, (HEIGHT_PX - SIGN_PX) / 2);
  pen.scale(SIGN_PX / 24, SIGN_PX / 24);
  pen.strokeStyle = SIGN_COLOR[sign];
  pen.lineWidth = 2;
  pen.lineCap = pen.lineJoin = "round";
  pen.stroke(new Path2D(pathOf(sign)));
  pen.restore();
}

function shorten(text: string): string {
  const points = [...text];
  return points.length > 24 ? `${points.slice(0, 23).join("")}…` : text;
}

/** Dark or light ink, whichever reads better on a colour (relative luminance, WCAG 2). */
export function inkOn(color: string): string {
  const channel = (at: number): number => Number.parseInt(color.slice(at, at + 2), 16) / 255;
  const luminance = 0.2126 * channel(1) ** 2.2 + 0.7152 * channel(3) ** 2.2 + 0.0722 * channel(5) ** 2.2;
  return luminance > 0.36 ? "#241636" : "#ffffff";
}
