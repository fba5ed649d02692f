/** Three objects follow the document's view. Pools are looked at by what they would draw. */

import { InstancedMesh, Matrix4, Raycaster, Vector3 } from "three";
import { describe, expect, it } from "vitest";
import { reparent, setProp } from "../src/edit/actions";
import { SceneEntities } from "../src/scene/entities";
import { wrap } from "../src/scene/paper";
import type { Pool } from "../src/scene/shapes";
import type { Operation } from "../src/wire/generated";
import { LocalDocument } from "./localdocument";

/** Everything that is drawn by instances: whose and where. */
function drawn(scene: SceneEntities): Record<string, number[]> {
  const found: Record<string, number[]> = {};
  scene.group.traverse((object) => {
    if (!(object instanceof InstancedMesh)) return;
    const pool = object.userData.pool as Pool;
    for (let seat = 0; seat < object.count; seat += 1) {
      const matrix = new Matrix4();
      object.getMatrixAt(seat, matrix);
      const at = new Vector3().setFromMatrixPosition(matrix).toArray();
      found[pool.idAt(seat) ?? "?"] = at.map((v) => Math.round(v * 100) / 100);
    }
  });
  return found;
}

function make(id: string, more: object = {}, parent: string | null = null): Operation {
  return { op: "create", id: `client00.${id}`, parent, props: { type: "box", ...more } };
}

function scene(): { document: LocalDocument; entities: SceneEntities } {
  const document = new LocalDocument();
  const entities = new SceneEntities(document.entities);
  document.onChange((ids) => entities.sync(ids));
  return { document, entities };
}

describe("entities in the room", () => {
  it("appear, move with their parent, and disappear with it", () => {
    const { document, entities } = scene();
    document.edit([
      make("g", { type: "group", position: [1, 0, 0] }),
      make("b", { position: [0, 2, 0] }, "client00.g"),
    ]);
    expect(drawn(entities)).toEqual({ "client00.b": [1, 2, 0] });
    document.edit(setProp(document.entities, "client00.g", ["position"], [5, 0, 0]));
    expect(drawn(entities)).toEqual({ "client00.b": [5, 2, 0] });
    document.edit([{ op: "delete", id: "client00.g" }]);
    expect(drawn(entities)).toEqual({});
    expect(entities.worldOf("client00.b")).toBeNull();
    document.edit([{ op: "restore", id: "client00.g" }]);
    expect(drawn(entities)).toEqual({ "client00.b": [5, 2, 0] });
  });

  it("stand where they stood when their parent changes", () => {
    const { document, entities } = scene();
    document.edit([make("g", { type: "group", position: [1, 1, 1] }), make("b", { position: [3, 3, 3] })]);
    document.edit(reparent(document.entities, ["client00.b"], "client00.g"));
    expect(drawn(entities)).toEqual({ "client00.b": [3, 3, 3] });
    expect(entities.below("client00.g")).toEqual(["client00.b"]);
  });

  it("stand where others hold them, with what is beneath them, until they are given back", () => {
    const { document, entities } = scene();
    document.edit([
      make("g", { type: "group" }),
      make("b", { position: [0, 1, 0] }, "client00.g"),
      make("c"),
    ]);
    const place = { position: [4, 0, 0], rotation: [0, 0, 0, 1], scale: [1, 1, 1] } as const;
    entities.lend(new Map([["client00.g", place]]));
    document.edit(setProp(document.entities, "client00.g", ["position"], [9, 9, 9]));
    expect(drawn(entities)).toEqual({ "client00.b": [4, 1, 0], "client00.c": [0, 0, 0] });
    entities.hold(new Set(["client00.c"]));
    entities.lend(new Map([["client00.c", place]]));
    expect(drawn(entities)).toEqual({ "client00.b": [9, 10, 9], "client00.c": [0, 0, 0] });
    entities.hold(new Set());
    expect(drawn(entities)["client00.c"]).toEqual([4, 0, 0]);
    entities.lend(new Map());
    expect(drawn(entities)["client00.c"]).toEqual([0, 0, 0]);
  });

  it("change their shape with their type, unknown ones have one too, and groups none", () => {
    const { document, entities } = scene();
    document.edit([make("a"), make("x", { type: "teapot" }), make("g", { type: "group" })]);
    expect(Object.keys(drawn(entities)).sort()).toEqual(["client00.a", "client00.x"]);
    document.edit(setProp(document.entities, "client00.a", ["type"], "group"));
    expect(Object.keys(drawn(entities))).toEqual(["client00.x"]);
  });

  it("stay seated when others go, however many there are", () => {
    const { document, entities } = scene();
    for (let n = 0; n < 100; n += 1) document.edit([make(`n${n}`, { position: [n, 0, 0] })]);
    for (let n = 0; n < 100; n += 3) document.edit([{ op: "delete", id: `client00.n${n}` }]);
    const there = drawn(entities);
    expect(Object.keys(there)).toHaveLength(66);
    for (const [id, [x]] of Object.entries(there)) expect(id).toBe(`client00.n${x}`);
  });

  it("follow a hand that holds them, and not the document, until they are let go", () => {
    const { document, entities } = scene();
    document.edit([make("b", { position: [1, 0, 0] })]);
    entities.hold(new Set(["client00.b"]));
    entities.carry("client00.b", new Matrix4().makeTranslation(9, 0, 0));
    document.remote(setProp(document.entities, "client00.b", ["position"], [2, 0, 0]));
    expect(drawn(entities)).toEqual({ "client00.b": [9, 0, 0] });
    entities.hold(new Set());
    expect(drawn(entities)).toEqual({ "client00.b": [2, 0, 0] });
  });

  it("show another revision and the present again", () => {
    const { document, entities } = scene();
    document.edit([make("a", { position: [1, 0, 0] })]);
    document.edit([make("b", { position: [2, 0, 0] })]);
    document.edit(setProp(document.entities, "client00.a", ["position"], [7, 0, 0]));
    entities.show(document.at(1));
    expect(drawn(entities)).toEqual({ "client00.a": [1, 0, 0] });
    entities.show(document.entities);
    expect(drawn(entities)).toEqual({ "client00.a": [7, 0, 0], "client00.b": [2, 0, 0] });
  });

  it("are hit by rays where they are drawn", () => {
    const { document, entities } = scene();
    document.edit([make("a", { position: [4, 0, 0] }), make("b", { position: [0, 0, 0], type: "sphere" })]);
    const ray = new Raycaster(new Vector3(4, 10, 0), new Vector3(0, -1, 0));
    const [hit] = ray.intersectObject(entities.group, true);
    expect(hit && entities.entityOf(hit)).toBe("client00.a");
    document.edit(setProp(document.entities, "client00.a", ["position"], [6, 0, 0]));
    expect(ray.intersectObject(entities.group, true)).toEqual([]);
  });

  it("all follow, when a thousand move in one frame", () => {
    const { document, entities } = scene();
    const ids = Array.from({ length: 1000 }, (_, n) => `client00.n${n}`);
    for (const id of ids) document.remote([{ ...make("x"), id } as Operation]);
    for (const id of ids) {
      const entity = document.entities.get(id);
      if (entity) document.entities.set(id, { ...entity, props: { ...entity.props, position: [7, 0, 0] } });
    }
    entities.sync(ids);
    entities.update();
    expect(new Set(Object.values(drawn(entities)).map(([x]) => x))).toEqual(new Set([7]));
    expect(Object.keys(drawn(entities))).toHaveLength(1000);
  });
});

describe("the words on a note", () => {
  const width = (line: string): number => [...line].length;

  it("are wrapped at spaces, broken where one is too long, and cut where there are too many", () => {
    expect(wrap("one two three", 7, 9, width)).toEqual(["one two", "three"]);
    expect(wrap("abcdefgh", 3, 9, width)).toEqual(["abc", "def", "gh"]);
    expect(wrap("a\n\nb", 9, 9, width)).toEqual(["a", "", "b"]);
    expect(wrap("1\n2\n3\n4", 9, 3, width)).toEqual(["1", "2", "3…"]);
    expect(wrap("", 9, 3, width)).toEqual([""]);
  });
});
