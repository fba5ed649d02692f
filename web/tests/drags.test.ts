/** What others hold: where it is drawn while they drag, and how it gets to where the document has it. */

import { describe, expect, it } from "vitest";
import { Drags, heldOf } from "../src/edit/drags";
import type { Placement } from "../src/edit/placement";
import type { Entity } from "../src/ot/state";
import type { Member } from "../src/presence/roster";
import type { Commit, Held, Role, Vec3 } from "../src/wire/generated";

const BOX = "client00.box";
const START = 1_000_000;

/** A room in which Bob may hold things, seen 60 times a second with a server's clock that is ours. */
class Room {
  readonly drags = new Drags();
  readonly view = new Map<string, Entity>();
  now = START;
  readonly bob: Member = {
    peer: {
      peer_id: "bob.tab",
      user_id: "bob",
      name: "Bob",
      color: "#112233",
      role: "editor" as Role,
      kind: "guest",
      joined_at_ms: 0,
    },
    state: null,
  };
  members: Member[] = [this.bob];
  shown = new Map<string, Placement>();

  constructor() {
    this.put([0, 0, 0]);
  }

  put(position: Vec3, alive = true): void {
    const props = { type: "box", position: [...position] };
    this.view.set(BOX, { alive, parent: null, order: "V", props });
  }

  /** Bob's state says that he has the box there; null: nothing in his hand. */
  says(position: Vec3 | null, more: Partial<Held> = {}, atMs = this.now): void {
    const drag = position
      ? [{ id: BOX, position, rotation: [0, 0, 0, 1] as const, scale: [1, 1, 1] as const, ...more }]
      : [];
    this.bob.state = { peer_id: "bob.tab", epoch: 1, counter: this.now, at_ms: atMs, state: { drag } };
  }

  commits(position: Vec3, by = "bob"): void {
    this.put(position);
    const operations = [{ op: "set", id: BOX, path: ["position"], value: [...position] }];
    const commit = { revision: 2, user_id: by, client: "x", seq: 1, at_ms: this.now, operations };
    this.drags.committed(commit as unknown as Commit, this.now);
  }

  run(ms: number): void {
    for (const ends = this.now + ms; this.now < ends; this.now += 16) {
      const may = ({ peer }: Member): boolean => peer.role === "editor";
      this.drags.see(this.members, this.view, may, this.now);
      this.shown = this.drags.shown(this.view, this.now);
    }
  }

  get x(): number | null {
    return this.shown.get(BOX)?.position[0] ?? null;
  }
}

describe("a drag of somebody else", () => {
  it("is shown moving between what is told, and stays where it is held", () => {
    const room = new Room();
    const seen: number[] = [];
    for (let x = 1; x <= 5; x += 1) {
      room.says([x, 0, 0]);
      for (let n = 0; n < 12; n += 1) {
        room.run(16);
        seen.push(room.x ?? -1);
      }
    }
    room.run(2000);
    expect(room.x).toBeCloseTo(5, 1);
    const steps = seen.slice(1).map((x, n) => x - (seen[n] ?? 0));
    expect(Math.max(...steps)).toBeLessThan(0.4);
    expect(Math.min(...steps)).toBeGreaterThan(-0.05);
  });

  it("ends with the commit where the document has it, whatever old states say still", () => {
    const room = new Room();
    room.says([4, 0, 0]);
    room.run(1000);
    room.now += 50;
    room.commits([4.5, 0, 0]);
    room.run(90);
    expect(room.x).toBeGreaterThan(4);
    expect(room.x).toBeLessThan(4.5);
    room.run(200);
    expect(room.x).toBeNull();
    room.says([4.2, 0, 0], {}, room.now - 600);
    room.run(200);
    expect(room.x).toBeNull();
    room.says([9, 0, 0]);
    room.run(2000);
    expect(room.x).toBeCloseTo(9, 1);
  });

  it("waits for the commit where it was let go, and glides back where none comes", () => {
    const room = new Room();
    room.says([4, 0, 0]);
    room.run(1500);
    room.says(null);
    room.run(500);
    expect(room.x).toBeCloseTo(4, 1);
    room.run(800);
    expect(room.x).toBeNull();
  });

  it("is not ended by the commit of another", () => {
    const room = new Room();
    room.says([4, 0, 0]);
    room.run(1500);
    room.commits([-3, 0, 0], "eve");
    room.run(500);
    expect(room.x).toBeCloseTo(4, 1);
  });

  it("is over when they are silent for long, leave, lose the role, or the thing is deleted", () => {
    const ends: ((room: Room) => void)[] = [
      (room) => room.run(11_000),
      (room) => {
        room.members = [];
      },
      (room) => {
        room.bob.peer = { ...room.bob.peer, role: "viewer" };
      },
      (room) => room.put([0, 0, 0], false),
    ];
    for (const end of ends) {
      const room = new Room();
      room.says([4, 0, 0]);
      room.run(500);
      expect(room.x).not.toBeNull();
      end(room);
      room.run(1500);
      expect(room.x).toBeNull();
    }
  });

  it("is the first one's, while two hold the same", () => {
    const room = new Room();
    const eve: Member = { peer: { ...room.bob.peer, peer_id: "eve.tab", user_id: "eve" }, state: null };
    room.members = [room.bob, eve];
    room.says([4, 0, 0]);
    room.run(500);
    const held = [{ id: BOX, position: [-4, 0, 0], rotation: [0, 0, 0, 1], scale: [1, 1, 1] }] as const;
    eve.state = { peer_id: "eve.tab", epoch: 1, counter: 1, at_ms: room.now, state: { drag: held } };
    room.run(1500);
    expect(room.x).toBeCloseTo(4, 1);
  });

  it("is told only of what the wire takes: near enough, and no number that is none", () => {
    const place = { position: [1, 2, 3], rotation: [0, 0, 0, 1], scale: [1, 1, 1] } as const;
    expect(heldOf(BOX, place)).toEqual({ id: BOX, ...place });
    expect(heldOf(BOX, { ...place, position: [1, 2, 100_001] })).toBeNull();
    expect(heldOf(BOX, { ...place, scale: [Number.NaN, 1, 1] })).toBeNull();
  });

  it("takes no size of nothing and no rotation of no length", () => {
    const room = new Room();
    room.says([1, 0, 0], { rotation: [0, 0, 0, 0], scale: [0, 2, 3] });
    room.run(1500);
    const shown = room.shown.get(BOX);
    expect(shown?.rotation).toEqual([0, 0, 0, 1]);
    expect(shown?.scale[0]).toBeCloseTo(0.01, 3);
    expect(shown?.scale[1]).toBeCloseTo(2, 2);
  });
});
