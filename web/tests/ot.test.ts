/** The shared vectors, in TypeScript; tests/unit/ot/test_vectors.py reads the same file. */

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { applyAll } from "../src/ot/apply";
import { canonical, canonicalState } from "../src/ot/canonical";
import { compose } from "../src/ot/compose";
import { invert } from "../src/ot/invert";
import { compare, isWellFormed } from "../src/ot/points";
import { type Entity, type Json, NEW, shown } from "../src/ot/state";
import { rebase } from "../src/ot/transform";
import { InvalidOperation, validate } from "../src/ot/validate";
import type { Operation } from "../src/wire/generated";

type State = Record<string, Entity>;
interface Vectors {
  apply: { name: string; state: State; operations: Operation[]; skipped: object; after: State }[];
  rebase: {
    name: string;
    mine: Operation[];
    theirs: Operation[];
    revision: number;
    foreign: boolean;
    operations: (Operation | null)[];
    dropped: object;
    met: unknown[];
  }[];
  compose: { name: string; first: Operation[]; second: Operation[]; operations: Operation[] }[];
  invert: {
    name: string;
    state: State;
    operations: Operation[];
    guard: number | null;
    inverse: Operation[];
  }[];
  canonical: { name: string; value: Json; text: string }[];
  refused: { name: string; operation: Operation; client: string; reason: string }[];
}

const vectors = JSON.parse(
  readFileSync(new URL("../../tests/vectors/ot.json", import.meta.url), "utf-8"),
) as Vectors;
const stateOf = (state: State): Map<string, Entity> => new Map(Object.entries(state));

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

describe("apply", () => {
  it.each(vectors.apply)("$name", ({ state, operations, skipped, after }) => {
    const entities = stateOf(state);
    expect(Object.fromEntries(applyAll(entities, operations))).toEqual(skipped);
    expect(canonicalState(entities)).toBe(canonicalState(stateOf(after)));
  });
});

describe("rebase", () => {
  it.each(vectors.rebase)("$name", ({ mine, theirs, revision, foreign, operations, dropped, met }) => {
    const rebased = rebase(mine, theirs, revision, foreign);
    expect(bare(rebased.operations)).toEqual(bare(operations));
    expect(Object.fromEntries(rebased.dropped)).toEqual(dropped);
    expect(rebased.met.map((m) => [m.index, m.otherIndex, m.register, m.overrides])).toEqual(met);
  });
});

describe("compose", () => {
  it.each(vectors.compose)("$name", ({ first, second, operations }) => {
    expect(bare(compose(first, second))).toEqual(bare(operations));
  });
});

describe("invert", () => {
  it.each(vectors.invert)("$name", ({ state, operations, guard, inverse }) => {
    expect(bare(invert(operations, stateOf(state), guard))).toEqual(bare(inverse));
  });
});

describe("canonical", () => {
  it.each(vectors.canonical)("$name", ({ value, text }) => {
    expect(canonical(value)).toBe(text);
  });
});

describe("refused", () => {
  it.each(vectors.refused)("$name", ({ operation, client, reason }) => {
    expect(() => validate([operation], client)).toThrow(new InvalidOperation(0, reason).message);
  });

  it("what JSON cannot carry", () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, "\ud800", { "a\udc00": 1 }]) {
      const operation: Operation = { op: "set", id: "x", path: ["a"], value };
      expect(() => validate([operation], "ada00000")).toThrow(InvalidOperation);
    }
  });

  it("none, and too many", () => {
    expect(() => validate([], "ada00000")).toThrow(InvalidOperation);
  });
});

describe("what only this side has to know", () => {
  it("orders by code point, not by UTF-16 unit", () => {
    expect(["😀", "\uffff", "a", "ab", ""].sort(compare)).toEqual(["", "a", "ab", "\uffff", "😀"]);
  });

  it("knows half a pair", () => {
    expect(["a😀", "\ud83d", "\ude00", "\ude00\ud83d"].map(isWellFormed)).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  it("-0 is 0", () => {
    const [set] = validate([{ op: "set", id: "x", path: ["a"], value: [-0] }], "ada00000");
    expect(set).toEqual({ op: "set", id: "x", path: ["a"], value: [0] });
  });

  it("hides what is beneath the deleted", () => {
    const entities = new Map<string, Entity>([
      ["a", { ...NEW, alive: false }],
      ["b", { ...NEW, parent: "a" }],
      ["c", NEW],
    ]);
    expect(["a", "b", "c", "d"].map((id) => shown(entities, id))).toEqual([false, false, true, false]);
  });
});
