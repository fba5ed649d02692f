import { describe, expect, it } from "vitest";
import { backoffMs } from "../src/presence/backoff";
import { socketAddress } from "../src/presence/browser";
import { next, type State, TRANSITIONS } from "../src/presence/states";
import { verdictOf } from "../src/presence/verdict";
import { frameOf } from "../src/room/fallback";

describe("the table of states", () => {
  it("leads from every state to the end, and from the end back in", () => {
    for (const state of Object.keys(TRANSITIONS) as State[]) {
      if (state !== "over") expect(next(state, "stop")).toBe("over");
    }
    expect(next("over", "start")).toBe("connecting");
  });

  it("changes nothing for an event that a state does not name", () => {
    expect(next("over", "entered")).toBe("over");
    expect(next("waiting", "entered")).toBe("waiting");
  });
});

describe("waiting", () => {
  it("doubles its ceiling up to 20 s, uses all of it by chance, and respects the server's wish", () => {
    expect(backoffMs(0, 0.999)).toBeLessThanOrEqual(500);
    expect(backoffMs(3, 0.5)).toBe(2000);
    expect(backoffMs(50, 1)).toBe(20_000);
    expect(backoffMs(9, 0)).toBe(100);
    expect(backoffMs(0, 0, 700)).toBe(700);
  });
});

describe("codes", () => {
  it("are told apart: cured by a seat, by time, or not at all", () => {
    expect(verdictOf("participant.not_joined")).toBe("unseated");
    expect(verdictOf("upstream.unavailable")).toBe("retry");
    expect(verdictOf("connection.gone")).toBe("retry");
    expect(verdictOf("session.ended")).toBe("refused");
  });
});

describe("a socket's address", () => {
  it("is the page's own where it is a path, and as told where it is whole", () => {
    expect(socketAddress("/ws?ticket=1", "https://holo.example/r/x#invite=s")).toBe(
      "wss://holo.example/ws?ticket=1",
    );
    expect(socketAddress("wss://api.example/api?ticket=1", "http://localhost/")).toBe(
      "wss://api.example/api?ticket=1",
    );
  });
});

describe("presence read by REST", () => {
  it("is a full frame that introduces everybody, with the states apart", () => {
    const { frame, states } = frameOf({
      at_ms: 9,
      peers: [
        {
          peer_id: "gst_a.1",
          user_id: "gst_a",
          name: "A",
          color: "#ffffff",
          role: "editor",
          joined_at_ms: 1,
          seen_at_ms: 8,
          state: { activity: "idle" },
        },
      ],
    });
    expect(frame).toMatchObject({ full: true, at_ms: 9, joined: [{ peer_id: "gst_a.1", kind: "guest" }] });
    expect(states[0]).toMatchObject({ at_ms: 8, state: { activity: "idle" } });
  });
});
