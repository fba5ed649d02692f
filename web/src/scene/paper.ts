/** A note in the room: its text on a card that both sides show. Drawn again only when its words or colour change. */

import {
  CanvasTexture,
  Group,
  LinearMipmapLinearFilter,
  Mesh,
  MeshBasicMaterial,
  PlaneGeometry,
  SRGBColorSpace,
} from "three";
import { mergeGeometries } from "three/addons/utils/BufferGeometryUtils.js";
import { inkOn } from "./label";

const WIDTH_PX = 640;
const PADDING_PX = 44;
const FONT_PX = 40;
const LINE_PX = 54;
const LINES_MIN = 3;
const LINES_MAX = 18;
const PX_PER_M = 400;
const FAMILY = '"Inter Variable", Inter, system-ui, sans-serif';
const EMPTY = "Write something…";

const THICK_M = 0.008;

/** Front and back in one piece, and so in one draw call. */
const sheet = mergeGeometries([
  new PlaneGeometry(1, 1).translate(0, 0, THICK_M / 2),
  new PlaneGeometry(1, 1).translate(0, 0, THICK_M / 2).rotateY(Math.PI),
]);

/** Text in lines that fit; a word that is too long is broken. `widthOf` measures. */
export function wrap(text: string, width: number, most: number, widthOf: (line: string) => number): string[] {
  const lines: string[] = [];
  for (const paragraph of text.split("\n")) {
    let line = "";
    for (const word of paragraph.split(/(?<=\s)/)) {
      if (widthOf(line + word.trimEnd()) <= width) {
        line += word;
        continue;
      }
      if (line) lines.push(line.trimEnd());
      line = "";
      for (const point of word) {
        if (line && widthOf(line + point) > width) {
          lines.push(line);
          line = "";
        }
        line += point;
      }
      if (lines.length > most) break;
    }
    lines.push(line.trimEnd());
    if (lines.length > most) break;
  }
  if (lines.length <= most) return lines;
  return [...lines.slice(0, most - 1), `${lines[most - 1] ?? ""}…`];
}

/** One note's card. */
export class Paper {
  readonly group = new Group();
  /** Metres, before the entity's own scale. */
  readonly size = { x: WIDTH_PX / PX_PER_M, y: 0.7 };
  private readonly material = new MeshBasicMaterial({ transparent: true, alphaTest: 0.4, toneMapped: false });
  private readonly face: Mesh;
  private drawn = "";

  constructor(entity: string) {
    this.face = new Mesh(sheet, this.material);
    this.face.userData.entity = entity;
    this.face.castShadow = true;
    this.group.add(this.face);
    this.group.matrixAutoUpdate = false;
  }

  /** Whether it has to be drawn for that. */
  stale(text: string, color: string): boolean {
    return this.drawn !== `${color}${text}`;
  }

  draw(text: string, color: string): void {
    this.drawn = `${color}${text}`;
    const canvas = document.createElement("canvas");
    const pen = canvas.getContext("2d");
    if (!pen) return;
    const font = `500 ${FONT_PX}px ${FAMILY}`;
    pen.font = font;
    const lines = wrap(
      text || EMPTY,
      WIDTH_PX - PADDING_PX * 2,
      LINES_MAX,
      (line) => pen.measureText(line).width,
    );
    canvas.width = WIDTH_PX;
    canvas.height = Math.max(LINES_MIN, lines.length) * LINE_PX + PADDING_PX * 2;
    pen.fillStyle = color;
    pen.beginPath();
    pen.roundRect(0, 0, canvas.width, canvas.height, 26);
    pen.fill();
    pen.font = font;
    pen.textBaseline = "middle";
    pen.fillStyle = inkOn(color);
    pen.globalAlpha = text ? 1 : 0.5;
    lines.forEach((line, at) => {
      pen.fillText(line, PADDING_PX, PADDING_PX + (at + 0.5) * LINE_PX);
    });
    this.material.map?.dispose();
    const texture = new CanvasTexture(canvas);
    texture.colorSpace = SRGBColorSpace;
    texture.minFilter = LinearMipmapLinearFilter;
    texture.anisotropy = 4;
    this.material.map = texture;
    this.material.needsUpdate = true;
    this.size.x = canvas.width / PX_PER_M;
    this.size.y = canvas.height / PX_PER_M;
    this.face.scale.set(this.size.x, this.size.y, 1);
  }

  dispose(): void {
    this.group.removeFromParent();
    this.material.map?.dispose();
    this.material.dispose();
  }
}
