/**
 * What others drag just now: it moves here too, smoothly, before the document knows of it.
 *
 * When a hand lets go the commit follows, or came before: until then things stay where the hand left them.
 */

import { Matrix4, Quaternion, Vector3 } from "three";
import type { Dragged } from "../wire/generated";
import type { SceneEntities } from "./entities";

const LINGER_MS = 700;
const FOLLOW_PER_S = 14;

interface Led {
  readonly position: Vector3;
  readonly rotation: Quaternion;
  readonly scale: Vector3;
  target: Dragged;
  seenAt: number;
}

const world = new Matrix4();
const position = new Vector3();
const rotation = new Quaternion();
const scale = new Vector3();

export class OthersDrags {
  private readonly led = new Map<string, Led>();

  constructor(private readonly entities: SceneEntities) {}

  /** Before every frame: what each of the others drags. */
  update(drags: Iterable<Dragged>, nowMs: number, elapsedS: number): void {
    let changed = false;
    for (const target of drags) {
      if (this.entities.holds(target.id)) continue;
      const led = this.led.get(target.id);
      if (led) {
        led.target = target;
        led.seenAt = nowMs;
      } else if (this.begin(target, nowMs)) changed = true;
    }
    for (const [id, { seenAt }] of this.led) {
      if (nowMs - seenAt > LINGER_MS || this.entities.holds(id)) changed = this.led.delete(id) || changed;
    }
    if (changed) this.entities.lead(new Set(this.led.keys()));
    const share = 1 - Math.exp(-FOLLOW_PER_S * elapsedS);
    for (const [id, led] of this.led) this.follow(id, led, share);
  }

  private begin(target: Dragged, nowMs: number): boolean {
    const now = this.entities.worldOf(target.id);
    if (!now) return false;
    const led: Led = {
      position: new Vector3(),
      rotation: new Quaternion(),
      scale: new Vector3(),
      target,
      seenAt: nowMs,
    };
    now.decompose(led.position, led.rotation, led.scale);
    this.led.set(target.id, led);
    return true;
  }

  private follow(id: string, { position: p, rotation: r, scale: s, target }: Led, share: number): void {
    p.lerp(position.fromArray(target.position), share);
    r.slerp(rotation.fromArray(target.rotation), share);
    s.lerp(scale.fromArray(target.scale), share);
    this.entities.carry(id, world.compose(p, r, s));
  }
}
