import { describe, expect, it } from "vitest";
import { PLAZA_M, pushOut, type Walker, walk } from "../src/motion/walker";
import { may } from "../src/room/context";
import { FrameRate } from "../src/room/figures";
import { firstLevel, Governor } from "../src/scene/quality";
import { wordsOf } from "../src/ui/activity";
import { ago, plural, until } from "../src/ui/format";
import { parsePasted, parseRoute, pathOf } from "../src/ui/links";
import { cleanName, freshProfile, initials } from "../src/ui/person";

const SESSION = "ses_aaaaaaaaaaaaaaaaaaaa";
const INVITE = `${SESSION}.ABCDEFGHIJKLMNOPQRSTUV`;

describe("links", () => {
  it("say the room in the path and the secret in the fragment only", () => {
    expect(pathOf(SESSION, INVITE)).toBe(`/r/${SESSION}#invite=${INVITE}`);
    expect(parseRoute(`/r/${SESSION}`, `#invite=${INVITE}`)).toEqual({
      page: "room",
      sessionId: SESSION,
      invite: INVITE,
    });
    expect(parseRoute("/", "")).toEqual({ page: "lobby" });
    expect(parseRoute(`/r/${SESSION}`, "#invite=<script>")).toMatchObject({ invite: null });
  });

  it("may be pasted whole, as a path, as an id or as an invite code", () => {
    const room = { page: "room", sessionId: SESSION, invite: null };
    expect(parsePasted(` https://holo.example/r/${SESSION} `)).toEqual(room);
    expect(parsePasted(SESSION)).toEqual(room);
    expect(parsePasted(INVITE)).toEqual({ ...room, invite: INVITE });
    expect(parsePasted("hello")).toEqual({ page: "lobby" });
    expect(parsePasted("http://[")).toEqual({ page: "lobby" });
  });
});

describe("walking", () => {
  const start: Walker = { position: [0, 1.62, 10], velocity: [0, 0] };
  const run = (yaw: number, seconds: number, obstacles = [{ x: 0, z: 0, radius: 2 }]): Walker => {
    let walker = start;
    for (let t = 0; t < seconds; t += 0.02) {
      walker = walk(walker, { right: 0, forward: 1, run: true }, yaw, 0.02, obstacles);
    }
    return walker;
  };

  it("goes where one looks: along -Z at yaw 0, along -X at a quarter turn to the left", () => {
    expect(run(0, 0.5).position[2]).toBeLessThan(9);
    expect(run(Math.PI / 2, 0.5).position[0]).toBeLessThan(-1);
  });

  it("stops at what stands in the way and at the edge of the plaza", () => {
    expect(run(0, 5).position[2]).toBeGreaterThan(2.3);
    expect(Math.hypot(...run(Math.PI, 20).position)).toBeLessThan(PLAZA_M + 2);
  });

  it("comes to rest when the keys are let go", () => {
    let walker = run(0, 0.3);
    for (let n = 0; n < 100; n++) walker = walk(walker, { right: 0, forward: 0, run: false }, 0, 0.02, []);
    expect(walker.velocity).toEqual([0, 0]);
  });

  it("finds a way out of the very middle of an obstacle", () => {
    const [x, z] = pushOut(0, 0, [{ x: 0, z: 0, radius: 1 }]);
    expect(Math.hypot(x, z)).toBeGreaterThan(1);
  });
});

describe("quality", () => {
  it("starts at the least for a software renderer", () => {
    expect(firstLevel("ANGLE (SwiftShader Device)", false)).toBe("minimal");
    expect(firstLevel("NVIDIA", true)).toBe("medium");
    expect(firstLevel("NVIDIA", false)).toBe("high");
  });

  it("steps down where frames stay slow, and never back to what was too much", () => {
    const governor = new Governor("high");
    for (let n = 0; n < 4; n++) governor.observe(12);
    expect(governor.level).toBe("medium");
    for (let n = 0; n < 60; n++) governor.observe(60);
    expect(governor.level).toBe("medium");
  });

  it("steps up from where it started too low, and forgives one slow second", () => {
    const governor = new Governor("low");
    for (let n = 0; n < 12; n++) governor.observe(60);
    expect(governor.level).toBe("medium");
    governor.observe(10);
    governor.observe(60);
    expect(governor.level).toBe("medium");
  });

  it("counts frames over a second", () => {
    const rate = new FrameRate();
    let told = 0;
    for (let n = 0; n <= 61; n++) told += rate.tick(1 + (n * 1000) / 60) ? 1 : 0;
    expect(told).toBe(1);
    expect(rate.fps).toBeGreaterThan(58);
  });
});

describe("words", () => {
  it("shorten people to their initials, whatever script", () => {
    expect(initials("Ada Lovelace")).toBe("AL");
    expect(initials("  yuki ")).toBe("Y");
    expect(initials("😀 b")).toBe("😀B");
  });

  it("take what is left of a name without control characters, or nothing", () => {
    expect(cleanName(" A\u0007b ")).toBe("A b");
    expect(cleanName(" \n ")).toBeNull();
    expect([...(cleanName("x".repeat(99)) ?? "")]).toHaveLength(64);
    expect(freshProfile(() => 0.999).name).toBeTruthy();
  });

  it("tell times", () => {
    const minute = 60_000;
    expect(ago(0, 10)).toBe("just now");
    expect(ago(0, 5 * minute)).toBe("5 min ago");
    expect(ago(0, 180 * minute)).toBe("3 h ago");
    expect(ago(0, 72 * 60 * minute)).toBe("3 d ago");
    expect(until(30 * minute, 0)).toBe("in 30 min");
    expect(until(20 * 60 * minute, 0)).toBe("in 20 h");
    expect(until(7 * 24 * 60 * minute, 0)).toBe("in 7 days");
    expect(plural(1, "seat")).toBe("1 seat");
    expect(plural(2, "person", "people")).toBe("2 people");
  });

  it("tell what happened, and what is new to this page by its name", () => {
    const event = { event_id: "e0000000", at_ms: 1, user_id: "u", name: "Ada", detail: {} };
    expect(wordsOf({ ...event, kind: "participant.joined" })).toBe("came in");
    expect(wordsOf({ ...event, kind: "participant.removed", detail: { banned: "true" } })).toBe(
      "was removed and banned",
    );
    expect(wordsOf({ ...event, kind: "mesh.uploaded" })).toBe("mesh uploaded");
  });
});

describe("what is offered", () => {
  it("follows the roles", () => {
    expect(may("owner", "manage")).toBe(true);
    expect(may("editor", "manage")).toBe(false);
    expect(may("editor", "invite")).toBe(true);
    expect(may("viewer", "invite")).toBe(false);
    expect(may("viewer", "activity")).toBe(true);
    expect(may("guest", "activity")).toBe(false);
  });
});
