import { describe, expect, it } from "vitest";
import { Roster } from "../src/presence/roster";
import type { PeerState, PresenceFrame } from "../src/wire/generated";
import { peer } from "./world";

const frame = (at: number, more: Partial<PresenceFrame>): PresenceFrame => ({
  type: "presence.frame",
  at_ms: at,
  ...more,
});
const state = (peerId: string, epoch: number, counter: number): PeerState => ({
  peer_id: peerId,
  epoch,
  counter,
  at_ms: counter,
  state: {},
});

describe("a roster", () => {
  it("keeps the greater epoch, and in it the greater counter, whatever order they come in", () => {
    const roster = new Roster();
    roster.apply(frame(1, { joined: [peer("a.1")], states: [state("a.1", 1, 9)] }));
    expect(roster.apply(frame(2, { states: [state("a.1", 1, 8)] })).moved).toEqual([]);
    expect(roster.apply(frame(3, { states: [state("a.1", 2, 1)] })).moved).toEqual(["a.1"]);
    expect(roster.members.get("a.1")?.state?.epoch).toBe(2);
  });

  it("lets a state wait for its peer's introduction", () => {
    const roster = new Roster();
    expect(roster.apply(frame(1, { states: [state("a.1", 1, 1)] })).moved).toEqual([]);
    const changes = roster.apply(frame(2, { joined: [peer("a.1")] }));
    expect(changes.moved).toEqual(["a.1"]);
    expect(roster.members.get("a.1")?.state?.counter).toBe(1);
  });

  it("takes a state that a channel brought as it takes a frame's, but not for a sign that somebody is there", () => {
    const roster = new Roster();
    roster.apply(frame(1, { joined: [peer("a.1")], states: [state("a.1", 1, 5)] }));
    expect(roster.hear({ ...state("a.1", 1, 6), at_ms: 900 }).moved).toEqual(["a.1"]);
    expect(roster.hear(state("a.1", 1, 6)).moved).toEqual([]);
    expect(roster.apply(frame(2, { left: ["a.1"] })).left.length).toBe(1);
    expect(roster.hear(state("a.1", 1, 7)).joined).toEqual([]);
    expect(roster.members.size).toBe(0);
  });

  it("never lets a later state be of an earlier time, whatever carriers' clocks say", () => {
    const roster = new Roster();
    roster.apply(frame(1, { joined: [peer("a.1")] }));
    roster.hear({ ...state("a.1", 1, 1), at_ms: 500 });
    roster.apply(frame(2, { states: [{ ...state("a.1", 1, 2), at_ms: 450 }] }));
    expect(roster.members.get("a.1")?.state).toMatchObject({ counter: 2, at_ms: 501 });
  });

  it("forgets who left, and who is not named by a full frame", () => {
    const roster = new Roster();
    roster.apply(frame(1, { joined: [peer("a.1"), peer("b.1"), peer("c.1")] }));
    expect(roster.apply(frame(2, { left: ["a.1"] })).left.map(({ peer_id }) => peer_id)).toEqual(["a.1"]);
    const changes = roster.apply(frame(3, { full: true, joined: [peer("c.1")] }));
    expect(changes.left.map(({ peer_id }) => peer_id)).toEqual(["b.1"]);
    expect([...roster.members.keys()]).toEqual(["c.1"]);
  });

  it("decides who is gone only when every part of a full frame is there, in any order", () => {
    const roster = new Roster();
    roster.apply(frame(1, { joined: [peer("a.1"), peer("b.1"), peer("c.1")] }));
    const second = roster.apply(frame(5, { full: true, part: 1, parts: 2, joined: [peer("b.1")] }));
    expect(second.left).toEqual([]);
    const first = roster.apply(frame(5, { full: true, part: 0, parts: 2, joined: [peer("a.1")] }));
    expect(first.left.map(({ peer_id }) => peer_id)).toEqual(["c.1"]);
  });

  it("does not let an older full frame remove somebody whom a newer frame named", () => {
    const roster = new Roster();
    roster.apply(frame(10, { joined: [peer("new.1")] }));
    expect(roster.apply(frame(9, { full: true, joined: [peer("a.1")] })).left).toEqual([]);
    expect(roster.apply(frame(9, { left: ["new.1"] })).left).toEqual([]);
    expect(roster.members.has("new.1")).toBe(true);
  });

  it("tells a new name, colour or role apart from a newcomer", () => {
    const roster = new Roster();
    roster.apply(frame(1, { joined: [peer("a.1")] }));
    const changes = roster.apply(frame(2, { joined: [peer("a.1", { role: "viewer" })] }));
    expect(changes).toMatchObject({ joined: [], renamed: ["a.1"] });
    expect(roster.apply(frame(3, { joined: [peer("a.1", { role: "viewer" })] })).renamed).toEqual([]);
  });

  it("gives a role to every page of a person, and sends all of them away at once", () => {
    const roster = new Roster();
    roster.apply(frame(1, { joined: [peer("a.1"), peer("a.2"), peer("b.1")] }));
    expect(roster.setRole("a", "owner")).toEqual(["a.1", "a.2"]);
    expect(roster.expel("a").left).toHaveLength(2);
    expect([...roster.members.keys()]).toEqual(["b.1"]);
  });
});
