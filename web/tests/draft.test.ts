/** Typing in a text that others type in too. */

import { describe, expect, it } from "vitest";
import { Draft, diff, moved } from "../src/edit/draft";
import { applyEdit } from "../src/ot/text";

const field = (value: string, caret = value.length) => ({ value, start: caret, end: caret });

describe("the difference of two texts", () => {
  it("is one insertion, one deletion, or both, in code points", () => {
    expect(diff("", "abc")).toEqual(["abc"]);
    expect(diff("abc", "abXc")).toEqual([2, "X"]);
    expect(diff("abc", "ac")).toEqual([1, { d: 1 }]);
    expect(diff("😀a", "😀😀a")).toEqual([1, "😀"]);
    expect(diff("same", "same")).toEqual([]);
    expect(diff("one two", "one 2")).toEqual([4, "2", { d: 3 }]);
  });

  it("makes the one into the other, for any two", () => {
    let seed = 11;
    const random = (below: number): number => {
      seed = (seed * 48271) % 2147483647;
      return seed % below;
    };
    const text = (): string =>
      Array.from({ length: random(8) }, () => ["a", "b", "😀", "\n"][random(4)]).join("");
    for (let n = 0; n < 500; n += 1) {
      const [from, to] = [text(), text()];
      expect(applyEdit(from, diff(from, to)), `${n}: ${from} ${to}`).toBe(to);
    }
  });
});

describe("a caret", () => {
  it("moves with what stands before it, and stays left of what is inserted at its place", () => {
    expect(moved("hello", 3, ["XX"])).toBe(5);
    expect(moved("hello", 3, [3, "XX"])).toBe(3);
    expect(moved("hello", 3, [4, "XX"])).toBe(3);
    expect(moved("hello", 3, [1, { d: 4 }])).toBe(1);
    expect(moved("hello", 5, [1, { d: 2 }])).toBe(3);
    expect(moved("a😀b", 3, ["😀"])).toBe(5);
  });
});

describe("a draft", () => {
  it("takes what was typed as one edit, and then has nothing more", () => {
    const draft = new Draft("hello");
    draft.typed(field("hello world"));
    expect(draft.waits).toBe(true);
    expect(draft.take()).toEqual([5, " world"]);
    expect(draft.take()).toBeNull();
    expect(draft.came("hello world")).toBe(false);
  });

  it("keeps what waits and the caret when somebody else types before it", () => {
    const draft = new Draft("two");
    draft.typed(field("two three", 9));
    expect(draft.came("one two")).toBe(true);
    expect(draft.field).toEqual({ value: "one two three", start: 13, end: 13 });
    expect(draft.take()).toEqual([7, " three"]);
  });

  it("keeps a caret in the middle when somebody else deletes around it", () => {
    const draft = new Draft("abcdef");
    draft.typed(field("abcdef", 4));
    draft.came("abf");
    expect(draft.field).toEqual({ value: "abf", start: 2, end: 2 });
    expect(draft.waits).toBe(false);
  });

  it("lets two people type in one text until both see the same", () => {
    let shared = "";
    const drafts = [new Draft(""), new Draft("")];
    let seed = 5;
    const random = (below: number): number => {
      seed = (seed * 48271) % 2147483647;
      return seed % below;
    };
    for (let n = 0; n < 300; n += 1) {
      const draft = drafts[random(2)] as Draft;
      const points = [...draft.field.value];
      const at = random(points.length + 1);
      const cut = random(3) === 0 ? 1 : 0;
      const insert = cut ? "" : (["x", "y😀", "\n"][random(3)] as string);
      const value = points.slice(0, at).join("") + insert + points.slice(at + cut).join("");
      draft.typed(field(value, 0));
      if (random(2)) {
        const edit = draft.take();
        if (edit) shared = applyEdit(shared, edit);
        for (const other of drafts) other.came(shared);
      }
    }
    for (const draft of drafts) {
      const edit = draft.take();
      if (edit) shared = applyEdit(shared, edit);
      for (const other of drafts) other.came(shared);
    }
    expect(drafts.map(({ field: { value } }) => value)).toEqual([shared, shared]);
  });

  it("makes halves of characters whole, and cuts what no text may hold", () => {
    const draft = new Draft("");
    draft.typed(field("a\ud83d"));
    expect(draft.take()).toEqual(["a"]);
    draft.typed(field("a".repeat(20_005)));
    draft.take();
    expect(draft.field.value).toHaveLength(20_000);
  });
});
