/** Undo, redo, and being told of what others wrote over. */

import { describe, expect, it } from "vitest";
import { create, LAMP, set, withLamp } from "./syncdesk";

describe("undo and redo", () => {
  it("take back and bring back, edit by edit", async () => {
    const desk = await withLamp();
    desk.doc.edit([set(LAMP, 1)]);
    desk.doc.edit([set(LAMP, "red", "color")]);
    expect(desk.doc.undo()).toEqual({ done: true, entities: [LAMP], skipped: [] });
    expect(desk.value(LAMP, "color")).toBeUndefined();
    desk.doc.undo();
    expect(desk.value(LAMP)).toBe(0);
    expect(desk.doc.canUndo).toBe(false);
    desk.doc.redo();
    desk.doc.redo();
    expect(desk.doc.canRedo).toBe(false);
    expect([desk.value(LAMP), desk.value(LAMP, "color")]).toEqual([1, "red"]);
    desk.doc.undo();
    desk.doc.edit([set(LAMP, 2)]);
    expect(desk.doc.canRedo).toBe(false);
    expect(desk.doc.undo().done).toBe(true);
    expect(desk.doc.undo().done).toBe(true);
    expect(desk.doc.undo()).toEqual({ done: false, entities: [], skipped: [] });
  });

  it("are guarded by the revision of what they take back", async () => {
    const desk = await withLamp();
    desk.doc.edit([set(LAMP, 1)]);
    const { revision } = await desk.acknowledge();
    desk.doc.undo();
    await desk.acknowledge();
    expect(desk.submits.at(-1)?.operations).toEqual([
      { op: "set", id: LAMP, path: ["x"], value: 0, guard: revision },
    ]);
    expect(desk.log.state().get(LAMP)?.props.x).toBe(0);
  });

  it("make one step of one gesture on the same registers", async () => {
    const desk = await withLamp();
    for (let x = 1; x < 6; x += 1) {
      desk.doc.edit([set(LAMP, x)]);
      await desk.clock.pass(100);
    }
    await desk.clock.pass(600);
    desk.doc.edit([set(LAMP, 9)]);
    desk.doc.undo();
    expect(desk.value(LAMP)).toBe(5);
    desk.doc.undo();
    expect(desk.value(LAMP)).toBe(0);
    expect(desk.doc.canUndo).toBe(false);
  });

  it("leave alone what others have written since, and say so", async () => {
    const desk = await withLamp();
    desk.doc.edit([set(LAMP, 1), set(LAMP, "red", "color")]);
    await desk.acknowledge();
    desk.hear(desk.foreign([set(LAMP, 7)]));
    expect(desk.doc.undo()).toEqual({
      done: true,
      entities: [LAMP],
      skipped: [{ entity: LAMP, register: ["x"] }],
    });
    expect([desk.value(LAMP), desk.value(LAMP, "color")]).toEqual([7, undefined]);
  });

  it("bring back what another wrote before one's own edit was in the log", async () => {
    const desk = await withLamp();
    desk.doc.edit([set(LAMP, 1)]);
    desk.hear(desk.foreign([set(LAMP, 7)]));
    await desk.acknowledge();
    expect(desk.value(LAMP)).toBe(1);
    desk.doc.undo();
    expect(desk.value(LAMP)).toBe(7);
  });

  it("fall away where somebody writes there before the undo is in the log", async () => {
    const desk = await withLamp();
    desk.doc.edit([set(LAMP, 1)]);
    await desk.acknowledge();
    const theirs = desk.foreign([set(LAMP, 7)]);
    desk.doc.undo();
    expect(desk.value(LAMP)).toBe(0);
    desk.hear(theirs);
    expect(desk.value(LAMP)).toBe(7);
    await desk.clock.pass(60_000);
    desk.doc.connected();
    desk.answerFetch();
    await desk.clock.pass(1000);
    expect(desk.doc.unsynced).toBe(0);
  });

  it("take one's own words out of a text that others edit too", async () => {
    const desk = await withLamp();
    desk.doc.edit([{ op: "text", id: LAMP, path: ["text"], edit: [5, " world"] }]);
    await desk.acknowledge();
    desk.hear(desk.foreign([{ op: "text", id: LAMP, path: ["text"], edit: ["oh, "] }]));
    expect(desk.value(LAMP, "text")).toBe("oh, hello world");
    desk.doc.undo();
    expect(desk.value(LAMP, "text")).toBe("oh, hello");
    desk.doc.redo();
    expect(desk.value(LAMP, "text")).toBe("oh, hello world");
  });

  it("forget what was refused", async () => {
    const desk = await withLamp();
    desk.doc.edit([create(desk.doc.newId())]);
    await desk.clock.pass(200);
    desk.refuse("lock.held");
    expect(desk.doc.canUndo).toBe(false);
  });
});

describe("being overridden", () => {
  it("is told, with the edit that brings the value back", async () => {
    const desk = await withLamp();
    desk.doc.edit([set(LAMP, "red", "color")]);
    await desk.acknowledge();
    desk.hear(desk.foreign([set(LAMP, "blue", "color")], 1));
    expect(desk.notices).toEqual([
      {
        kind: "overridden",
        by: "bob",
        entity: LAMP,
        register: ["color"],
        lost: { op: "set", id: LAMP, path: ["color"], value: "red" },
      },
    ]);
  });

  it("is not told where somebody changes what they have seen", async () => {
    const desk = await withLamp();
    desk.doc.edit([set(LAMP, "red", "color")]);
    await desk.acknowledge();
    desk.hear(desk.foreign([set(LAMP, "blue", "color")]));
    expect(desk.notices).toEqual([]);
  });

  it("is told of words that fell away because the whole text was replaced", async () => {
    const desk = await withLamp();
    desk.doc.edit([{ op: "text", id: LAMP, path: ["text"], edit: [5, "!"] }]);
    desk.hear(desk.foreign([set(LAMP, "bye", "text")]));
    expect(desk.value(LAMP, "text")).toBe("bye");
    expect(desk.notices).toMatchObject([{ kind: "overridden", lost: { op: "set", value: "hello!" } }]);
  });

  it("is told with the whole text where an edit of it was replaced", async () => {
    const desk = await withLamp();
    desk.doc.edit([{ op: "text", id: LAMP, path: ["text"], edit: [5, "!"] }]);
    await desk.acknowledge();
    desk.hear(desk.foreign([set(LAMP, "bye", "text")], 1));
    expect(desk.notices).toMatchObject([{ kind: "overridden", lost: { op: "set", value: "hello!" } }]);
  });
});
