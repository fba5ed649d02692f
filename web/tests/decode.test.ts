import { describe, expect, it } from "vitest";
import { parse, presenceOf, stateOf } from "../src/peers/decode";
import { LIMITS } from "../src/wire/generated";

const pose = { position: [1, 2, 3], rotation: [0, 0, 0, 1] };
const held = { id: "c.1", ...pose, scale: [1, 1, 1] };
const update = (more: object): string =>
  JSON.stringify({ type: "presence.update", epoch: 5, counter: 7, state: { pose }, ...more });

const WRONG: [string, unknown][] = [
  ["no object", []],
  ["a pose without a turn", { pose: { position: [1, 2, 3] } }],
  ["a place of two numbers", { pose: { ...pose, position: [1, 2] } }],
  ["a place outside the world", { pose: { ...pose, position: [1, 2, LIMITS.WORLD_M + 1] } }],
  ["a place that is no number", { pose: { ...pose, position: [1, 2, "3"] } }],
  ["a place that is infinite", { pose: { ...pose, position: [1, 2, Number.POSITIVE_INFINITY] } }],
  ["a turn that is none", { pose: { ...pose, rotation: [0, 0, 0, 2] } }],
  ["a pointer at nothing that may be", { cursor: { position: [1, 2, 3], target: "<b>" } }],
  ["too much selected", { selection: Array.from({ length: LIMITS.SELECTION_MAX + 1 }, () => "c.1") }],
  ["something selected that is no id", { selection: ["a b"] }],
  ["too much in one hand", { drag: Array.from({ length: LIMITS.DRAG_MAX + 1 }, () => held) }],
  ["something in a hand without a size", { drag: [{ ...held, scale: undefined }] }],
  ["something that nobody does", { activity: "flying" }],
  ["a pose that is text", { pose: "here" }],
];

describe("what another page tells", () => {
  it("is taken as it is where the contract allows it", () => {
    const state = {
      pose,
      cursor: { ...pose, target: null },
      selection: ["c.1"],
      activity: "editing",
      drag: [held],
    };
    expect(presenceOf(update({ state, user_id: "gst_a" }))).toEqual({
      epoch: 5,
      counter: 7,
      state,
      claimed: "gst_a",
    });
    expect(stateOf({ pose: null, selection: [] })).toEqual({ selection: [] });
  });

  it("brings nothing along that the contract does not have", () => {
    expect(stateOf({ pose: { ...pose, more: 1 }, evil: true })).toEqual({ pose });
  });

  for (const [name, state] of WRONG) {
    it(`is nothing with ${name}`, () => {
      expect(stateOf(state)).toBeNull();
      const text = update({ state }).replace("null", "1e999");
      expect(presenceOf(text)).toBeNull();
    });
  }

  it("is nothing where it is no update, of no order, too long or no JSON", () => {
    for (const text of [
      update({ type: "ping" }),
      update({ epoch: -1 }),
      update({ counter: 1.5 }),
      update({ counter: "7" }),
      `${update({})}${" ".repeat(LIMITS.PRESENCE_MESSAGE_BYTES)}`,
      "{",
      "null",
      "[]",
    ]) {
      expect(presenceOf(text)).toBeNull();
    }
    expect(presenceOf(new ArrayBuffer(4))).toBeNull();
    expect(parse('{"type":3}', 100)).toBeNull();
  });
});
