/** What an action makes of the scene: operations, orders, places. */

import { describe, expect, it } from "vitest";
import {
  addPrimitive,
  duplicate,
  freeName,
  freeSpot,
  groupOf,
  inTransactions,
  place,
  reach,
  remove,
  reparent,
  restore,
  setProp,
} from "../src/edit/actions";
import { beginningOf, colorOf, type Kind, nameOf, positionOf, rotationOf, scaleOf } from "../src/edit/kinds";
import { between, spread } from "../src/edit/order";
import { near, placementIn, turned, worldMatrix } from "../src/edit/placement";
import { Selection } from "../src/edit/selection";
import { commandOf, SHORTCUTS } from "../src/edit/shortcuts";
import { beneath, childrenOf, deleted, isBeneath, rowsOf, topmost } from "../src/edit/tree";
import { compare } from "../src/ot/points";
import type { Entity, JsonObject } from "../src/ot/state";
import type { Quat, Vec3 } from "../src/wire/generated";
import { LocalDocument } from "./localdocument";

const STRAIGHT: Quat = [0, 0, 0, 1];
const HALF = Math.SQRT1_2;

function add(document: LocalDocument, kind: Kind, at: Vec3 = [0, 0, 0], turn: Quat = STRAIGHT): string {
  const beginning = beginningOf(kind);
  if (!beginning) throw new Error(kind);
  const id = document.newId();
  document.edit(addPrimitive(document.entities, id, beginning, at, turn));
  return id;
}

function entity(props: JsonObject): Entity {
  return { alive: true, parent: null, order: "V", props };
}

const at = (document: LocalDocument, id: string): number[] =>
  worldMatrix(document.entities, id)
    .elements.slice(12, 15)
    .map((v) => Math.round(v * 1000) / 1000);

describe("order keys", () => {
  it("lie between their neighbours, whatever those are", () => {
    let low: string | null = null;
    let high: string | null = null;
    let seed = 7;
    for (let n = 0; n < 60; n += 1) {
      const key = between(low, high);
      expect(key, `${low} ${high}`).not.toBeNull();
      if (key === null) break;
      if (low !== null) expect(compare(low, key)).toBeLessThan(0);
      if (high !== null) expect(compare(key, high)).toBeLessThan(0);
      expect(key).toMatch(/^[0-9A-Za-z]{1,64}$/);
      expect(key.endsWith("0")).toBe(false);
      seed = (seed * 16807) % 2147483647;
      if (seed % 2) low = key;
      else high = key;
    }
  });

  it("stay short when siblings are appended by the thousand", () => {
    const keys = spread(5000);
    expect(new Set(keys).size).toBe(5000);
    expect([...keys].sort(compare)).toEqual(keys);
    expect(Math.max(...keys.map(({ length }) => length))).toBeLessThan(6);
    expect(between("zzzz", null)).toBe("zzzzV");
  });

  it("do not exist between equal ones, or below nothing but zeros", () => {
    expect(between("V", "V")).toBeNull();
    expect(between("W", "V")).toBeNull();
    expect(between("V", "V0")).toBeNull();
    expect(between(null, "0")).toBeNull();
  });
});

describe("adding and taking away", () => {
  it("makes one creation with a free name, at the end of the top", () => {
    const document = new LocalDocument();
    const first = add(document, "box", [1, 2, 3]);
    const second = add(document, "box");
    expect(document.commits.map(({ operations }) => operations.length)).toEqual([1, 1]);
    expect(childrenOf(document.entities).get(null)).toEqual([first, second]);
    const made = document.entities.get(first) as Entity;
    expect([nameOf(made), positionOf(made), colorOf(made)]).toEqual(["Box", [1, 2, 3], "#f0745a"]);
    expect(nameOf(document.entities.get(second) as Entity)).toBe("Box 2");
  });

  it("duplicates what is beneath too, with ids of its own and the same world underneath", () => {
    const document = new LocalDocument();
    const group = add(document, "group", [5, 0, 0]);
    const box = add(document, "box", [6, 0, 0]);
    document.edit(reparent(document.entities, [box], group));
    const made = duplicate(document.entities, [group, box], () => document.newId(), [0, 0, 1]);
    expect(made.ids).toHaveLength(1);
    document.edit(made.operations);
    const copy = made.ids[0] as string;
    const child = childrenOf(document.entities).get(copy)?.[0] as string;
    expect(at(document, copy)).toEqual([5, 0, 1]);
    expect(at(document, child)).toEqual([6, 0, 1]);
    expect(child).not.toBe(box);
  });

  it("deletes only what is on top, counts what goes along, and brings it back", () => {
    const document = new LocalDocument();
    const group = add(document, "group");
    const box = add(document, "box");
    document.edit(reparent(document.entities, [box], group));
    expect(reach(document.entities, [group, box])).toBe(2);
    document.edit(remove(document.entities, [group, box]));
    expect(document.entities.get(box)?.alive).toBe(true);
    expect(rowsOf(document.entities, new Set())).toEqual([]);
    expect(deleted(document.entities)).toEqual([group]);
    expect(remove(document.entities, [group])).toEqual([]);
    document.edit(restore(document.entities, group));
    expect(rowsOf(document.entities, new Set()).map(({ id }) => id)).toEqual([group, box]);
    expect(restore(document.entities, group)).toEqual([]);
  });

  it("is taken back by undo and done again by redo, and undo says what somebody else has changed since", () => {
    const document = new LocalDocument();
    const box = add(document, "box");
    document.edit(setProp(document.entities, box, ["color"], "#112233"));
    document.remote([{ op: "set", id: box, path: ["color"], value: "#445566" }]);
    const reverted = document.undo();
    expect(reverted.done).toBe(false);
    expect(reverted.skipped[0]?.entity).toBe(box);
    expect(colorOf(document.entities.get(box) as Entity)).toBe("#445566");
    document.undo();
    expect(document.entities.get(box)?.alive).toBe(false);
    document.redo();
    expect(document.entities.get(box)?.alive).toBe(true);
  });

  it("finds a place beside what stands there already", () => {
    const document = new LocalDocument();
    add(document, "box", [0, 0.5, 0]);
    expect(freeSpot(document.entities, [0, 0, 0], [1, 0, 0])).toEqual([1.25, 0, 0]);
    expect(freeSpot(document.entities, [8, 0, 0], [1, 0, 0])).toEqual([8, 0, 0]);
  });

  it("numbers names on from their stem", () => {
    const document = new LocalDocument();
    add(document, "box");
    add(document, "box");
    expect(freeName(document.entities, "Box 2")).toBe("Box 3");
    expect(freeName(document.entities, "Lamp")).toBe("Lamp");
  });
});

describe("the tree", () => {
  it("keeps a thing where it is in the world when its parent changes, turned and scaled ones too", () => {
    const document = new LocalDocument();
    const group = add(document, "group", [4, 1, -2], [0, HALF, 0, HALF]);
    document.edit(setProp(document.entities, group, ["scale"], [2, 2, 2]));
    const box = add(document, "box", [1, 2, 3]);
    document.edit(reparent(document.entities, [box], group));
    expect(at(document, box)).toEqual([1, 2, 3]);
    expect(document.entities.get(box)?.parent).toBe(group);
    expect(scaleOf(document.entities.get(box) as Entity)).toEqual([0.5, 0.5, 0.5]);
    document.edit(reparent(document.entities, [box], null));
    expect(at(document, box)).toEqual([1, 2, 3]);
    expect(near(scaleOf(document.entities.get(box) as Entity), [1, 1, 1])).toBe(true);
  });

  it("puts before a sibling, even where all siblings share one key", () => {
    const document = new LocalDocument();
    for (const id of ["other000.a", "other000.b", "other000.c"])
      document.remote([{ op: "create", id, props: {} }]);
    document.edit(reparent(document.entities, ["other000.c"], null, "other000.b"));
    expect(childrenOf(document.entities).get(null)).toEqual(["other000.a", "other000.c", "other000.b"]);
    document.edit(reparent(document.entities, ["other000.b"], null, "other000.a"));
    expect(childrenOf(document.entities).get(null)).toEqual(["other000.b", "other000.a", "other000.c"]);
    expect(document.commits.at(-1)?.operations).toHaveLength(1);
  });

  it("puts nothing beneath itself or its own", () => {
    const document = new LocalDocument();
    const [a, b] = [add(document, "group"), add(document, "group")];
    document.edit(reparent(document.entities, [b], a));
    expect(reparent(document.entities, [a], b)).toEqual([]);
    expect(reparent(document.entities, [a], a)).toEqual([]);
    expect(isBeneath(document.entities, b, a)).toBe(true);
    expect(beneath(document.entities, a)).toEqual([b]);
    expect(topmost(document.entities, [b, a])).toEqual([a]);
  });

  it("groups what is selected around its middle, and nothing moves", () => {
    const document = new LocalDocument();
    const [a, b] = [add(document, "box", [0, 0, 0]), add(document, "box", [4, 2, 0])];
    const group = document.newId();
    const beginning = beginningOf("group");
    if (!beginning) throw new Error();
    document.edit(groupOf(document.entities, group, [a, b], beginning, [9, 9, 9]));
    expect(at(document, group)).toEqual([2, 1, 0]);
    expect([at(document, a), at(document, b)]).toEqual([
      [0, 0, 0],
      [4, 2, 0],
    ]);
    expect(document.commits.at(-1)?.operations.map(({ op }) => op)).toEqual([
      "create",
      "move",
      "move",
      "set",
      "set",
    ]);
  });

  it("shows rows with their depth, and hides what is beneath a closed one", () => {
    const document = new LocalDocument();
    const group = add(document, "group");
    const box = add(document, "box");
    document.edit(reparent(document.entities, [box], group));
    expect(rowsOf(document.entities, new Set()).map(({ depth, children }) => [depth, children])).toEqual([
      [0, 1],
      [1, 0],
    ]);
    expect(rowsOf(document.entities, new Set([group]))).toHaveLength(1);
  });
});

describe("placing", () => {
  it("sends only what changed", () => {
    const document = new LocalDocument();
    const box = add(document, "box", [1, 1, 1]);
    const to = { position: [1, 1, 2] as Vec3, rotation: STRAIGHT, scale: [1, 1, 1] as Vec3 };
    expect(place(document.entities, box, to)).toEqual([
      { op: "set", id: box, path: ["position"], value: [1, 1, 2] },
    ]);
    expect(place(document.entities, box, { rotation: [0, 0, 0, -1] })).toEqual([]);
    expect(setProp(document.entities, box, ["color"], "#f0745a")).toEqual([]);
    expect(setProp(document.entities, box, ["color"], null)).toEqual([
      { op: "set", id: box, path: ["color"], absent: true },
    ]);
  });

  it("rounds to what can be seen and never says -0", () => {
    const document = new LocalDocument();
    const box = add(document, "box", [0.123456789, -0.0000001, 2]);
    const placement = placementIn(worldMatrix(document.entities, box), worldMatrix(document.entities, null));
    expect(placement.position).toEqual([0.1235, 0, 2]);
    expect(Object.is(placement.position[1], 0)).toBe(true);
    expect(turned([0, 0, 0, -2])).toEqual([0, 0, 0, 1]);
  });

  it("splits what is too much for one transaction", () => {
    const many = Array.from({ length: 600 }, (_, n) => ({ op: "delete" as const, id: `client00.${n}` }));
    expect(inTransactions(many).map(({ length }) => length)).toEqual([256, 256, 88]);
    const big = many.slice(0, 3).map(({ id }) => ({
      op: "set" as const,
      id,
      path: ["text"],
      value: "x".repeat(12_000),
    }));
    expect(inTransactions(big)).toHaveLength(3);
    expect(inTransactions([])).toEqual([]);
  });
});

describe("properties that anybody may have written", () => {
  it("are read without trust", () => {
    const odd = entity({
      type: 7,
      name: " ",
      position: [1, "2", 3],
      rotation: [0, 0, 0, 0],
      scale: [0, 1, -0.001],
    });
    expect(nameOf(odd)).toBe("unknown");
    expect(positionOf(odd)).toEqual([0, 0, 0]);
    expect(rotationOf(odd)).toEqual([0, 0, 0, 1]);
    expect(scaleOf(odd)).toEqual([0.01, 1, -0.01]);
    expect(colorOf(entity({ color: "red" }))).toBe("#cfc5d6");
    expect(nameOf(entity({ type: "screen_share_surface" }))).toBe("screen share surface");
  });
});

describe("selecting", () => {
  it("keeps the order, tells of changes once, and forgets what is gone", () => {
    const selection = new Selection();
    let told = 0;
    const stop = selection.onChange(() => {
      told += 1;
    });
    selection.set(["a", "b", "a"]);
    selection.set(["a", "b"]);
    selection.toggle("c");
    expect(selection.main).toBe("c");
    selection.keep((id) => id !== "c");
    expect(selection.ids).toEqual(["a", "b"]);
    expect(told).toBe(3);
    stop();
    selection.set([]);
    expect([told, selection.main]).toEqual([3, null]);
  });
});

describe("keys", () => {
  const press = (key: string, more = {}) =>
    ({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...more }) as const;

  it("ask for commands; those about a selection only while there is one", () => {
    expect(commandOf(press("g"), false)).toBeNull();
    expect(commandOf(press("G"), true)).toBe("translate");
    expect(commandOf(press("z", { ctrlKey: true }), false)).toBe("undo");
    expect(commandOf(press("Z", { metaKey: true, shiftKey: true }), false)).toBe("redo");
    expect(commandOf(press("y", { ctrlKey: true }), false)).toBe("redo");
    expect(commandOf(press("d", { ctrlKey: true }), true)).toBe("duplicate");
    expect(commandOf(press("Delete"), true)).toBe("delete");
    expect(commandOf(press("d"), true)).toBeNull();
  });

  it("leave the keys of walking and of the room alone", () => {
    const taken = new Set(["w", "a", "s", "d", "q", "e", "v", "f", "p", "i", ",", "?"]);
    for (const { keys } of SHORTCUTS) for (const key of keys) expect(taken.has(key)).toBe(false);
  });
});
