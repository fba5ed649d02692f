/** One remote (or, seen from outside, the own) person in the scene: moves the figure, names it, shows its activity. */

import { Euler, Group, MathUtils, Quaternion, Vector3 } from "three";
import type { Activity, Quat, Role, Vec3 } from "../wire/generated";
import { EYE_M, Figure } from "./figure";
import { Label, type Sign } from "./label";

export interface Persona {
  name: string;
  color: string;
  role: Role;
}

const NOTES: Partial<Record<Activity, string>> = { idle: "idle", away: "away", editing: "editing" };
const HERE: Record<Activity, number> = { active: 1, editing: 1, speaking: 1, idle: 0.88, away: 0.3 };

export class Avatar {
  readonly group = new Group();
  readonly label: Label;
  /** Where the pointing hand is, in the world. */
  readonly handAt = new Vector3();
  /** How loud they are drawn, 0 to 1. */
  loudness = 0;
  private readonly figure: Figure;
  private readonly headTurn = new Quaternion();
  private readonly euler = new Euler(0, 0, 0, "YXZ");
  private readonly before = new Vector3();
  private yaw = 0;
  private lean = 0;
  private here = 1;
  private activity: Activity = "active";
  private placed = false;
  private signs: readonly Sign[] = [];

  constructor(private persona: Persona) {
    this.figure = new Figure(persona.color);
    this.label = new Label({ text: persona.name, color: persona.color });
    this.group.add(this.figure.body, this.figure.head, this.figure.halo, this.label.sprite);
  }

  become(persona: Persona): void {
    if (persona.color !== this.persona.color) this.figure.paint(persona.color);
    this.persona = persona;
    this.describe();
  }

  act(activity: Activity): void {
    if (activity === this.activity) return;
    this.activity = activity;
    this.describe();
  }

  /** What their name carries of their voice. */
  sign(signs: readonly Sign[]): void {
    this.signs = signs;
    this.describe();
  }

  /** Follows how loud they are now, 0 to 1: up at once, down slowly, for words have gaps. */
  hear(level: number, elapsedS: number): void {
    const pace = level > this.loudness ? 22 : 5;
    this.loudness += (level - this.loudness) * (1 - Math.exp(-elapsedS * pace));
  }

  /** Where the head is, in the world. */
  get headAt(): Vector3 {
    return this.figure.head.position;
  }

  get color(): string {
    return this.persona.color;
  }

  update(head: Vec3, rotation: Quat, pointingAt: Vec3 | null, seconds: number, elapsedS: number): void {
    const { body, head: skull, halo } = this.figure;
    this.headTurn.set(...rotation);
    this.euler.setFromQuaternion(this.headTurn);
    if (!this.placed) {
      this.yaw = this.euler.y;
      this.before.set(...head);
      this.placed = true;
    }
    const apart = MathUtils.euclideanModulo(this.euler.y - this.yaw + Math.PI, Math.PI * 2) - Math.PI;
    this.yaw += apart * (1 - Math.exp(-elapsedS * 5));
    const speed = elapsedS > 0 ? Math.hypot(head[0] - this.before.x, head[2] - this.before.z) / elapsedS : 0;
    this.before.set(...head);
    this.lean += (Math.min(speed, 5) * 0.03 - this.lean) * (1 - Math.exp(-elapsedS * 6));
    this.here += (HERE[this.activity] - this.here) * (1 - Math.exp(-elapsedS * 4));
    const breath =
      Math.sin(seconds * 1.7 + head[0]) * 0.012 + Math.sin(seconds * 9) * 0.012 * Math.min(1, speed);
    body.position.set(head[0], head[1] - EYE_M + breath, head[2]);
    body.rotation.set(-this.lean, this.yaw, 0, "YXZ");
    skull.position.set(head[0], head[1] + breath, head[2]);
    skull.quaternion.copy(this.headTurn);
    halo.position.set(head[0], head[1] + 0.3 + breath, head[2]);
    halo.scale.setScalar(this.activity === "speaking" ? 1.1 + 0.12 * Math.sin(seconds * 8) : 1);
    this.figure.presence(this.here);
    this.hands(pointingAt);
    this.label.sprite.position.set(head[0], head[1] + 0.42, head[2]);
  }

  dispose(): void {
    this.figure.dispose();
    this.label.dispose();
  }

  private hands(pointingAt: Vec3 | null): void {
    const { body, hand, restingHand } = this.figure;
    restingHand.position.set(-0.33, 0.86, -0.06);
    hand.position.set(0.33, 0.86, -0.06);
    body.updateMatrixWorld();
    if (pointingAt) {
      const target = body.worldToLocal(new Vector3(...pointingAt));
      const shoulder = new Vector3(0.2, 1.2, 0);
      hand.position.copy(target.sub(shoulder).normalize().multiplyScalar(0.44).add(shoulder));
    }
    this.handAt.copy(hand.position).applyMatrix4(body.matrixWorld);
  }

  private describe(): void {
    const note = NOTES[this.activity];
    const { name, color } = this.persona;
    this.label.draw({ text: name, color, signs: this.signs, ...(note ? { note } : {}) });
  }
}
