/** The rules of a shared document on the page, one by one. */

import { describe, expect, it } from "vitest";
import { applyEdit, composeEdits } from "../src/ot/text";
import { InvalidOperation } from "../src/ot/validate";
import { cut, SUBMIT_BYTES, sizeOf } from "../src/sync/cut";
import type { Commit, Operation, OpSubmit } from "../src/wire/generated";
import { create, LAMP, ME, set, withLamp } from "./syncdesk";
import { ack, committed, refusal, rest } from "./syncworld";

describe("submitting", () => {
  it("shows an edit at once and keeps it before it is sent", async () => {
    const desk = await withLamp();
    let store = (): void => {};
    desk.slowSave = new Promise((resolve) => {
      store = resolve;
    });
    desk.doc.edit([set(LAMP, 1)]);
    expect(desk.value(LAMP)).toBe(1);
    await desk.clock.pass(500);
    expect(desk.submits).toEqual([]);
    expect(desk.saved.at(-1)?.inFlight?.seq).toBe(1);
    store();
    await rest();
    expect(desk.submits).toMatchObject([{ client: ME, seq: 1, base: 1, operations: [{ value: 1 }] }]);
  });

  it("has one transaction in flight and composes the rest", async () => {
    const desk = await withLamp();
    for (let x = 1; x < 9; x += 1) {
      desk.doc.edit([set(LAMP, x)]);
      await desk.clock.pass(20);
    }
    await desk.clock.pass(1000);
    expect(desk.submits).toHaveLength(1);
    expect(desk.doc.unsynced).toBe(2);
    expect(desk.doc.waiting).toBe(2);
    await desk.acknowledge();
    await desk.clock.pass(200);
    expect(desk.submits[1]).toMatchObject({ seq: 2, base: 2, operations: [{ op: "set", value: 8 }] });
    await desk.acknowledge();
    expect(desk.doc.state).toBe("synced");
    expect(desk.doc.unsynced).toBe(0);
    expect(desk.doc.waiting).toBe(0);
  });

  it("throws for an invalid edit, and nothing happened", async () => {
    const desk = await withLamp();
    expect(() => desk.doc.edit([set(LAMP, 5), set(LAMP, Number.NaN)])).toThrow(InvalidOperation);
    expect(desk.value(LAMP)).toBe(0);
    expect(desk.doc.unsynced).toBe(0);
    expect(desk.doc.canUndo).toBe(false);
  });

  it("cuts by count and by bytes", async () => {
    const desk = await withLamp();
    desk.doc.edit(Array.from({ length: 300 }, () => create(desk.doc.newId())));
    await desk.acknowledge();
    await desk.acknowledge();
    expect(desk.submits.map(({ operations }) => operations.length)).toEqual([256, 44]);
    for (let key = 0; key < 4; key += 1) desk.doc.edit([set(LAMP, "é".repeat(5000), `k${key}`)]);
    for (let turn = 0; turn < 3; turn += 1) await desk.acknowledge();
    expect(desk.doc.unsynced).toBe(0);
    for (const submit of desk.submits) {
      expect(new TextEncoder().encode(JSON.stringify(submit)).length).toBeLessThan(32_768);
    }
  });

  it("divides one edit that is too large for a message", () => {
    const edit = [3, "ü".repeat(20_000), { d: 2 }, 4, "z".repeat(20_000)];
    let buffer: Operation[] = [{ op: "text", id: LAMP, path: ["text"], edit }];
    let text = "0123456789abcdef";
    const whole = applyEdit(text, edit);
    const parts = [];
    while (buffer.length > 0) {
      const [head, others] = cut(buffer);
      expect(head.reduce((sum, operation) => sum + sizeOf(operation), 0)).toBeLessThanOrEqual(SUBMIT_BYTES);
      for (const operation of head) {
        if (operation.op !== "text") throw new Error("a text stays a text");
        text = applyEdit(text, operation.edit);
        parts.push(operation.edit);
      }
      buffer = others;
    }
    expect(text).toBe(whole);
    expect(parts.reduce((one, other) => composeEdits(one, other))).toEqual(edit);
  });
});

describe("following the log", () => {
  it("takes commits in order whatever order they come in, once each", async () => {
    const desk = await withLamp();
    const all = [1, 2, 3].map((x) => desk.foreign([set(LAMP, x)]));
    desk.hear(all[2] as Commit);
    expect(desk.value(LAMP)).toBe(0);
    desk.hear(all[0] as Commit, all[0] as Commit);
    desk.hear(all[1] as Commit, all[2] as Commit);
    expect(desk.revisions).toEqual([2, 3, 4]);
    expect(desk.value(LAMP)).toBe(3);
    await desk.clock.pass(1000);
    expect(desk.fetches).toHaveLength(1);
  });

  it("fetches over a gap after a moment, and again until it is answered", async () => {
    const desk = await withLamp();
    desk.foreign([set(LAMP, 1)]);
    desk.hear(desk.foreign([set(LAMP, 2)]));
    expect(desk.fetches).toHaveLength(1);
    await desk.clock.pass(400);
    expect(desk.fetches).toHaveLength(2);
    await desk.clock.pass(8000);
    expect(desk.fetches.length).toBeGreaterThan(2);
    desk.answerFetch();
    expect(desk.value(LAMP)).toBe(2);
    const count = desk.fetches.length;
    await desk.clock.pass(30_000);
    expect(desk.fetches).toHaveLength(count);
  });

  it("fetches when only the head tells that there is more", async () => {
    const desk = await withLamp();
    desk.foreign([set(LAMP, 1)]);
    desk.doc.receive(committed([], 2));
    await desk.clock.pass(400);
    expect(desk.fetches.at(-1)?.since).toBe(1);
    desk.answerFetch();
    expect(desk.doc.revision).toBe(2);
  });

  it("tells which entities changed, and nothing of those that did not", async () => {
    const desk = await withLamp();
    desk.doc.edit([set(LAMP, 1)]);
    desk.changed.length = 0;
    desk.hear(desk.foreign([set(LAMP, 9), create("bob00000.2")]));
    expect(desk.changed).toEqual([["bob00000.2"]]);
    await desk.acknowledge();
    expect(desk.changed).toHaveLength(1);
  });

  it("repairs a view of 1,000 entities in well under a frame", async () => {
    const desk = await withLamp();
    for (let part = 0; part < 10; part += 1) {
      const made = Array.from({ length: 100 }, (_, at) =>
        create(`bob00000.${part}x${at}`, { at: [1, 2, 3] }),
      );
      desk.hear(desk.foreign(made));
    }
    desk.doc.edit(Array.from({ length: 200 }, (_, at) => set(`bob00000.1x${at % 100}`, at, `k${at}`)));
    const commits = Array.from({ length: 500 }, (_, at) => desk.foreign([set(`bob00000.3x${at % 100}`, at)]));
    const start = performance.now();
    for (const commit of commits) desk.hear(commit);
    expect((performance.now() - start) / commits.length).toBeLessThan(2);
    expect(desk.doc.revision).toBe(commits.at(-1)?.revision);
  });
});

describe("acknowledging", () => {
  it("counts an own commit as the ack, and does not mind the ack that follows", async () => {
    const desk = await withLamp();
    desk.doc.edit([set(LAMP, 1)]);
    await desk.clock.pass(200);
    const commit = desk.commit();
    desk.hear(commit);
    expect(desk.doc.unsynced).toBe(0);
    desk.doc.edit([set(LAMP, 2)]);
    await desk.clock.pass(200);
    desk.doc.receive(ack(commit));
    expect(desk.doc.unsynced).toBe(1);
    expect(desk.value(LAMP)).toBe(2);
  });

  it("waits for the gap before an ack that came early, and does not send again", async () => {
    const desk = await withLamp();
    desk.doc.edit([set(LAMP, 1)]);
    await desk.clock.pass(200);
    const gap = desk.foreign([set(LAMP, 7, "y")]);
    desk.doc.receive(ack(desk.commit()));
    expect(desk.doc.unsynced).toBe(1);
    await desk.clock.pass(20_000);
    expect(desk.submits).toHaveLength(1);
    desk.hear(gap);
    expect(desk.doc.unsynced).toBe(0);
  });

  it("in doubt reads on first, and sends again with the same seq only what is not in the log", async () => {
    const desk = await withLamp();
    desk.doc.edit([set(LAMP, 1)]);
    await desk.clock.pass(200);
    desk.foreign([set(LAMP, 5, "y")]);
    await desk.clock.pass(5500);
    expect(desk.submits).toHaveLength(1);
    expect(desk.fetches.at(-1)?.since).toBe(1);
    desk.answerFetch();
    await desk.clock.pass(200);
    expect(desk.submits[1]).toMatchObject({ seq: 1, base: 2 });
    desk.commit(); // and the answer is lost
    desk.doc.connected();
    desk.answerFetch();
    await desk.clock.pass(60_000);
    expect(desk.submits).toHaveLength(2);
    expect(desk.doc.state).toBe("synced");
  });
});

describe("being refused", () => {
  it("reads on and sends again where the base was behind its own last commit", async () => {
    const desk = await withLamp();
    desk.doc.edit([set(LAMP, 1)]);
    await desk.clock.pass(200);
    desk.refuse("operation.base_behind_own");
    expect(desk.fetches).toHaveLength(2);
    desk.answerFetch();
    await desk.acknowledge();
    expect(desk.submits.map(({ seq }) => seq)).toEqual([1, 1]);
    expect(desk.doc.unsynced).toBe(0);
  });

  it.each(["rate.limited", "upstream.unavailable", "document.busy", "internal"] as const)(
    "tries again later after %s",
    async (code) => {
      const desk = await withLamp();
      desk.doc.edit([set(LAMP, 1)]);
      await desk.clock.pass(200);
      desk.refuse(code);
      expect(desk.submits).toHaveLength(1);
      await desk.clock.pass(3000);
      expect(desk.submits.map(({ seq }) => seq)).toEqual([1, 1]);
      expect(desk.notices).toEqual([]);
    },
  );

  it("respects how long an error asks it to wait", async () => {
    const desk = await withLamp();
    desk.doc.edit([set(LAMP, 1)]);
    await desk.clock.pass(200);
    const id = desk.submits[0]?.id ?? null;
    const error = { type: "error", code: "rate.limited", message: "", correlation_id: "" } as const;
    expect(desk.doc.receive({ ...error, id: "somebody else's" })).toBe(false);
    expect(desk.doc.receive({ ...error, id, retry_after_ms: 2500 })).toBe(true);
    await desk.clock.pass(2400);
    expect(desk.submits).toHaveLength(1);
    await desk.clock.pass(200);
    expect(desk.submits).toHaveLength(2);
  });

  it.each(["role.insufficient", "lock.held", "operation.invalid", "session.ended"] as const)(
    "takes the transaction back after %s, with what was built upon it, and goes on",
    async (code) => {
      const desk = await withLamp();
      const [table, cup] = [desk.doc.newId(), desk.doc.newId()];
      desk.doc.edit([create(table), { op: "text", id: LAMP, path: ["text"], edit: ["oh, "] }]);
      await desk.clock.pass(200);
      desk.doc.edit([set(table, 3), { op: "create", id: cup, parent: table }, set(cup, 1)]);
      desk.doc.edit([{ op: "text", id: LAMP, path: ["text"], edit: [9, "!"] }, set(LAMP, 4)]);
      expect(desk.value(LAMP, "text")).toBe("oh, hello!");
      desk.refuse(code);
      expect(desk.doc.entities.has(table)).toBe(false);
      expect(desk.doc.entities.has(cup)).toBe(false);
      expect(desk.value(LAMP, "text")).toBe("hello!");
      expect(desk.value(LAMP)).toBe(4);
      const [notice] = desk.notices;
      expect(notice).toMatchObject({ kind: "rejected", code });
      expect(notice?.kind === "rejected" && notice.operations.map(({ id }) => id)).toEqual(
        expect.arrayContaining([table, cup, LAMP]),
      );
      await desk.acknowledge();
      expect(desk.submits.at(-1)).toMatchObject({ seq: 2 });
      expect(desk.log.state().get(LAMP)?.props).toEqual({ x: 4, text: "hello!" });
    },
  );

  it("ignores the refusal of an attempt that was given up", async () => {
    const desk = await withLamp();
    desk.doc.edit([set(LAMP, 1)]);
    await desk.clock.pass(200);
    const first = desk.submits[0] as OpSubmit;
    desk.doc.connected();
    desk.answerFetch();
    await desk.clock.pass(200);
    desk.doc.receive(refusal(first, "lock.held"));
    expect(desk.doc.unsynced).toBe(1);
    expect(desk.notices).toEqual([]);
  });

  it("reads the document anew where its base is too old, and moves what is pending past all between", async () => {
    const desk = await withLamp();
    desk.doc.edit([{ op: "text", id: LAMP, path: ["text"], edit: [5, "!"] }]);
    await desk.clock.pass(200);
    desk.foreign([{ op: "text", id: LAMP, path: ["text"], edit: ["oh, "] }]);
    desk.refuse("operation.base_too_old");
    await rest();
    expect(desk.snapshots).toBe(2);
    expect(desk.doc.revision).toBe(2);
    await desk.clock.pass(1500);
    desk.answerFetch();
    expect(desk.value(LAMP, "text")).toBe("oh, hello!");
    await desk.acknowledge();
    expect(desk.submits.at(-1)).toMatchObject({ seq: 1, base: 2 });
    expect(desk.log.state().get(LAMP)?.props.text).toBe("oh, hello!");
  });

  it("does not send again what may be in a log that cannot be read", async () => {
    const desk = await withLamp();
    desk.doc.edit([set(LAMP, 1)]);
    await desk.clock.pass(200);
    desk.doc.edit([set(LAMP, 2, "y")]);
    desk.foreign([set(LAMP, 5, "z")]);
    desk.refuse("operation.base_too_old");
    await rest();
    await desk.clock.pass(1500);
    const error = { type: "error", code: "revision.unknown", message: "", correlation_id: "" } as const;
    desk.doc.receive({ ...error, id: desk.fetches.at(-1)?.id ?? null });
    expect(desk.notices).toMatchObject([{ kind: "rejected", code: "operation.base_too_old" }]);
    expect(desk.value(LAMP)).toBe(0);
    expect(desk.value(LAMP, "y")).toBe(2);
    await desk.clock.pass(31_000);
    desk.answerFetch();
    await desk.acknowledge();
    expect(desk.submits.at(-1)).toMatchObject({ seq: 2, operations: [{ path: ["y"] }] });
  });
});
