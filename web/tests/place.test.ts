import { describe, expect, it } from "vitest";
import { Place } from "../src/room/place";
import { EYE_M } from "../src/scene/figure";

const SESSION = "ses_aaaaaaaaaaaaaaaaaaaa";
const NOW = 1_700_000_000_000;

function shelf(denied = false): Storage {
  const kept = new Map<string, string>();
  const refuse = (): void => {
    if (denied) throw new DOMException("denied", "SecurityError");
  };
  return {
    getItem: (key: string) => {
      refuse();
      return kept.get(key) ?? null;
    },
    setItem: (key: string, value: string) => {
      refuse();
      kept.set(key, value);
    },
  } as unknown as Storage;
}

describe("the epoch of a tab's states", () => {
  it("is greater with every load, though the clock was set back", () => {
    const tab = shelf();
    const epochs = [NOW, NOW + 5, NOW + 5, NOW - 3_600_000, NOW + 10].map((now) =>
      new Place(tab, SESSION).epoch(now),
    );
    expect(epochs).toEqual([NOW, NOW + 5, NOW + 6, NOW + 7, NOW + 10]);
  });

  it("is another matter in another room, and the clock where nothing sensible is kept", () => {
    const tab = shelf();
    new Place(tab, SESSION).epoch(NOW + 1000);
    expect(new Place(tab, "ses_bbbbbbbbbbbbbbbbbbbb").epoch(NOW)).toBe(NOW);
    for (const nonsense of [
      "",
      "x",
      "-1",
      "null",
      "1e99",
      `${Number.MAX_SAFE_INTEGER}`,
      `${NOW + 0.5}`,
      "[9]",
    ]) {
      tab.setItem(`holodeck.epoch.${SESSION}`, nonsense);
      expect(new Place(tab, SESSION).epoch(NOW)).toBe(NOW);
    }
    expect(new Place(shelf(true), SESSION).epoch(NOW)).toBe(NOW);
  });
});

describe("where one stands when a room opens", () => {
  it("is where one stood before a reload, else somewhere at the entrance", () => {
    const tab = shelf();
    const entrance = new Place(tab, SESSION).start(() => 0.5);
    expect(entrance[1]).toBe(EYE_M);
    expect(Math.hypot(entrance[0], entrance[2])).toBeCloseTo(13.8);
    new Place(tab, SESSION).keep([1, 2, 3]);
    expect(new Place(tab, SESSION).start(() => 0.5)).toEqual([1, 2, 3]);
    tab.setItem(`holodeck.place.${SESSION}`, "[1,2]");
    expect(new Place(tab, SESSION).start(() => 0.5)).toEqual(entrance);
    expect(new Place(shelf(true), SESSION).start(() => 0.5)).toEqual(entrance);
    new Place(shelf(true), SESSION).keep([1, 2, 3]);
  });
});
