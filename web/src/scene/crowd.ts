/** Everybody else in the scene: their avatars and cursors, moved smoothly between the states that arrive. */

import type { Scene, Vector3 } from "three";
import { Track } from "../motion/track";
import type { Member } from "../presence/roster";
import type { PeerState, Quat, Vec3 } from "../wire/generated";
import type { Auras } from "./auras";
import { Avatar } from "./avatar";
import type { Sign } from "./label";
import { Pointer } from "./pointer";

export interface Shown {
  peerId: string;
  name: string;
  position: Vec3 | null;
  cursor: Vec3 | null;
  target: string | null;
}

interface Body {
  member: Member;
  avatar: Avatar;
  pointer: Pointer;
  pose: Track;
  cursor: Track;
  /** They show a cursor or a pose in their newest state. */
  points: boolean;
  stands: boolean;
  at: Vec3 | null;
  cursorAt: Vec3 | null;
}

export class Crowd {
  private readonly bodies = new Map<string, Body>();
  private signs: ReadonlyMap<string, readonly Sign[]> = new Map();

  constructor(private readonly scene: Scene) {}

  join(member: Member): void {
    const { peer } = member;
    this.leave(peer.peer_id);
    const avatar = new Avatar({ name: peer.name, color: peer.color, role: peer.role });
    const pointer = new Pointer(peer.name, peer.color);
    avatar.sign(this.signs.get(peer.peer_id) ?? []);
    avatar.group.visible = false;
    pointer.group.visible = false;
    this.scene.add(avatar.group, pointer.group);
    this.bodies.set(peer.peer_id, {
      member,
      avatar,
      pointer,
      pose: new Track(),
      cursor: new Track({ teleportM: 60 }),
      points: false,
      stands: false,
      at: null,
      cursorAt: null,
    });
  }

  leave(peerId: string): void {
    const body = this.bodies.get(peerId);
    if (!body) return;
    this.scene.remove(body.avatar.group, body.pointer.group);
    body.avatar.dispose();
    body.pointer.dispose();
    this.bodies.delete(peerId);
  }

  rename(peerId: string): void {
    const body = this.bodies.get(peerId);
    if (!body) return;
    const { name, color, role } = body.member.peer;
    body.avatar.become({ name, color, role });
    body.pointer.colour(name, color);
  }

  /** A newer state of somebody, arrived now. */
  take(state: PeerState, nowMs: number): void {
    const body = this.bodies.get(state.peer_id);
    if (!body) return;
    const { pose, cursor, activity } = state.state;
    body.stands = Boolean(pose);
    if (pose) body.pose.push(state.at_ms, pose.position, pose.rotation, nowMs);
    else body.pose.reset();
    body.points = Boolean(cursor);
    if (cursor) body.cursor.push(state.at_ms, cursor.position, cursor.rotation ?? [0, 0, 0, 1], nowMs);
    else body.cursor.reset();
    body.avatar.act(activity ?? "active");
  }

  /** What each name carries of a voice, by peer id. */
  showSigns(signs: ReadonlyMap<string, readonly Sign[]>): void {
    this.signs = signs;
    for (const [peerId, { avatar }] of this.bodies) avatar.sign(signs.get(peerId) ?? []);
  }

  /** Lights whoever speaks; `levelOf`: 0 to 1, by peer id. After `update`. */
  light(auras: Auras, levelOf: (peerId: string) => number, elapsedS: number): void {
    for (const [peerId, { avatar, at }] of this.bodies) {
      avatar.hear(levelOf(peerId), elapsedS);
      if (at) auras.put(avatar.headAt, avatar.color, avatar.loudness);
    }
  }

  update(nowMs: number, elapsedS: number, cameraAt: Vector3, labelSize: number): void {
    const seconds = nowMs / 1000;
    for (const body of this.bodies.values()) {
      const pose = body.stands ? body.pose.show(nowMs) : null;
      const cursor = body.points ? body.cursor.show(nowMs) : null;
      body.at = pose?.position ?? null;
      body.cursorAt = cursor?.position ?? null;
      body.avatar.group.visible = pose !== null;
      if (pose) {
        body.avatar.update(pose.position, pose.rotation, body.cursorAt, seconds, elapsedS);
        body.avatar.label.update(cameraAt.distanceTo(body.avatar.label.sprite.position), labelSize);
      }
      body.pointer.group.visible = cursor !== null;
      if (cursor) {
        const hand = pose ? body.avatar.handAt : null;
        body.pointer.update(cursor.position, cursor.rotation as Quat, hand, cameraAt, seconds, labelSize);
      }
    }
  }

  shown(): Shown[] {
    return [...this.bodies.values()].map(({ member, at, cursorAt }) => ({
      peerId: member.peer.peer_id,
      name: member.peer.name,
      position: at,
      cursor: cursorAt,
      target: member.state?.state.cursor?.target ?? null,
    }));
  }

  dispose(): void {
    for (const peerId of [...this.bodies.keys()]) this.leave(peerId);
  }
}
