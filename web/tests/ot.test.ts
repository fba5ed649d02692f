/** The cases that Python and TypeScript share (tests/vectors/ot.json; tests/unit/ot/test_vectors.py reads the same). */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { applyAll } from "../src/ot/apply";
import { canonical, canonicalState } from "../src/ot/canonical";
import { compose } from "../src/ot/compose";
import { invert } from "../src/ot/invert";
import { compare, isWellFormed } from "../src/ot/points";
import { type Entity, type Json, shown } from "../src/ot/state";
import { composeEdits, type Edit, invertEdit, normal, transformEdit } from "../src/ot/text";
import { rebase } from "../src/ot/transform";
import { InvalidOperation, validate } from "../src/ot/validate";
import { LIMITS, type Operation } from "../src/wire/generated";

type State = Record<string, Entity>;
type Named<T> = T & { name: string };

interface EditCase {
  function: "transform" | "compose" | "invert" | "normal";
  arguments: { edit: Edit; other: Edit; earlier: boolean; first: Edit; second: Edit; text: string };
  expect: Edit;
}

interface Vectors {
  limits: Record<string, number>;
  apply: Named<{ state: State; operations: Operation[]; skipped: object; after: State }>[];
  rebase: Named<{
    mine: (Operation | null)[];
    other: Operation[];
    revision: number;
    foreign: boolean;
    operations: (Operation | null)[];
    met: [number, number, string[], boolean][];
    dropped: object;
  }>[];
  compose: Named<{ first: Operation[]; second: Operation[]; expect: Operation[] }>[];
  invert: Named<{ before: State; operations: Operation[]; guard: number | null; expect: Operation[] }>[];
  canonical: Named<{ value: Json; text: string }>[];
  state: Named<{ state: State; text: string; hash: string }>[];
  validate: Named<{
    client: string;
    operations: Operation[];
    expect?: Operation[];
    index?: number;
    reason?: string;
  }>[];
  edits: Named<EditCase>[];
}

const vectors: Vectors = JSON.parse(
  readFileSync(new URL("../../tests/vectors/ot.json", import.meta.url), "utf8"),
);

const mapOf = (state: State): Map<string, Entity> => new Map(Object.entries(state));

/** A field with its default is the same as one that is absent. */
function bare(operations: readonly (Operation | null)[]): unknown[] {
  const defaults: Record<string, unknown> = { guard: null, parent: null, absent: false, order: "V" };
  return operations.map((operation) =>
    operation === null
      ? null
      : Object.fromEntries(
          Object.entries(operation).filter(
            ([key, value]) =>
              !(key in defaults && defaults[key] === value) &&
              !(key === "value" && value === null) &&
              !(key === "props" && Object.keys(value as object).length === 0),
          ),
        ),
  );
}

it("both languages keep to the same bounds", () => {
  expect(LIMITS).toMatchObject(vectors.limits);
});

describe("apply: the same effect, and the same skips", () => {
  it.each(vectors.apply)("$name", ({ state, operations, skipped, after }) => {
    const entities = mapOf(state);
    expect(Object.fromEntries(applyAll(entities, operations))).toEqual(skipped);
    expect(canonicalState(entities)).toBe(canonicalState(mapOf(after)));
  });
});

describe("rebase: the same operations, meetings and drops", () => {
  it.each(vectors.rebase)("$name", ({ mine, other, revision, foreign, operations, met, dropped }) => {
    const before = JSON.stringify([mine, other]);
    const result = rebase(mine, other, revision, foreign);
    expect(bare(result.operations)).toEqual(bare(operations));
    expect(result.met.map((m) => [m.index, m.otherIndex, m.register, m.overrides])).toEqual(met);
    expect(Object.fromEntries(result.dropped)).toEqual(dropped);
    expect(JSON.stringify([mine, other])).toBe(before);
  });
});

describe("compose: the same normal form", () => {
  it.each(vectors.compose)("$name", ({ first, second, expect: wanted }) => {
    expect(bare(compose(first, second))).toEqual(bare(wanted));
  });
});

describe("invert: the same way back", () => {
  it.each(vectors.invert)("$name", ({ before, operations, guard, expect: wanted }) => {
    expect(bare(invert(operations, mapOf(before), guard))).toEqual(bare(wanted));
  });
});

describe("canonical: the same text for a value", () => {
  it.each(vectors.canonical)("$name", ({ value, text }) => {
    expect(canonical(value)).toBe(text);
  });

  it("orders as Python does, whatever is compared", () => {
    const texts = [
      "",
      "a",
      "ab",
      "\ud7ff",
      "\ue000",
      "\uffff",
      "\u{10000}",
      "\u{10000}a",
      "\u{1f600}",
      "\u{10ffff}",
    ];
    expect([...texts].reverse().sort(compare)).toEqual(texts);
  });
});

describe("state: the same text and hash", () => {
  it.each(vectors.state)("$name", ({ state, text, hash }) => {
    expect(canonicalState(mapOf(state))).toBe(text);
    expect(createHash("sha256").update(text).digest("hex")).toBe(hash);
  });

  it("shows what is alive all the way up", () => {
    const entity: Entity = { alive: true, parent: null, order: "V", props: {} };
    const entities = new Map([
      ["a", { ...entity, alive: false }],
      ["b", { ...entity, parent: "a" }],
      ["c", entity],
    ]);
    expect(["a", "b", "c", "d"].map((id) => shown(entities, id))).toEqual([false, false, true, false]);
  });
});

describe("validate: the same values, or the same refusal", () => {
  it.each(vectors.validate)("$name", ({ client, operations, expect: wanted, index, reason }) => {
    if (wanted) {
      expect(bare(validate(operations, client))).toEqual(bare(wanted));
      return;
    }
    const refusal = refusalOf(() => validate(operations, client));
    expect([refusal?.index, refusal?.reason]).toEqual([index, reason]);
  });
});

function refusalOf(attempt: () => unknown): InvalidOperation | null {
  try {
    attempt();
    return null;
  } catch (error) {
    if (error instanceof InvalidOperation) return error;
    throw error;
  }
}

describe("edits of text", () => {
  it.each(vectors.edits)("$name", ({ function: which, arguments: given, expect: wanted }) => {
    const functions = {
      transform: () => transformEdit(given.edit, given.other, given.earlier),
      compose: () => composeEdits(given.first, given.second),
      invert: () => invertEdit(given.edit, given.text),
      normal: () => normal(given.edit),
    };
    expect(functions[which]()).toEqual(wanted);
  });
});

describe("what only this side has to know", () => {
  it("what JSON cannot carry is refused", () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, "\ud800", { "a\udc00": 1 }]) {
      const operation: Operation = { op: "set", id: "x", path: ["a"], value };
      expect(() => validate([operation], "ada00000")).toThrow(InvalidOperation);
    }
  });

  it("knows half a pair", () => {
    expect(["a😀", "\ud83d", "\ude00", "\ude00\ud83d"].map(isWellFormed)).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });
});
