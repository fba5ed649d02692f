/** Recordings in the page: who is played when and from where, what follows the scrubber, what the list does by itself. */

import { describe, expect, it } from "vitest";
import { stateWords } from "../src/ui/recordings";
import { type Element, Player, type PlayerPorts } from "../src/voice/player";
import { pauseOf, Recordings, type RecordingsPorts } from "../src/voice/recordings";
import { LAW } from "../src/voice/relations";
import { Timeline } from "../src/voice/timeline";
import type { Placement } from "../src/voice/types";
import type { Recording } from "../src/wire/generated";

const START = 1_700_000_000_000;
const ADA = "ada.tab00001";
const BOB = "bob.tab00001";

const line = (at_ms: number, peer_id: string, event: string, position?: number[]): string =>
  JSON.stringify({ at_ms, peer_id, user_id: peer_id.split(".")[0], event, position });

/** Ada speaks from 1 s to 4 s and from 8 s on, and walks at 3 s; Bob speaks from 6 s to 7 s. */
const LINES = [
  line(500, ADA, "joined", [-1, 0, 0]),
  line(1000, ADA, "speaks"),
  line(3000, ADA, "moved", [5, 0, 0]),
  line(4000, ADA, "silent"),
  line(5000, BOB, "joined"),
  line(6000, BOB, "speaks"),
  line(7000, BOB, "silent"),
  line(8000, ADA, "speaks"),
  "no json",
  "null",
  JSON.stringify({ at_ms: 1, peer_id: ADA, event: "moved", position: [1, 2] }),
].join("\n");

function recording(change: Partial<Recording> = {}): Recording {
  const track = (peer_id: string, from: number, duration_ms: number, url = "https://b/1"): object => ({
    peer_id,
    user_id: peer_id,
    name: peer_id === ADA ? "Ada" : "Bob",
    from_ms: START + from,
    duration_ms,
    size_bytes: 1,
    url,
  });
  return {
    recording_id: `rec_${"a".repeat(20)}`,
    name: "Stand-up",
    channel_id: "main",
    started_by: "ada",
    started_at_ms: START,
    duration_ms: 10_000,
    status: "ready",
    mix: "none",
    tracks: [track(ADA, 1000, 9000), track(BOB, 6000, 1000)],
    timeline_url: "https://b/t",
    ...change,
  } as Recording;
}

class FakeElement implements Element {
  src = "";
  seeks = 0;
  private atS = 0;
  get currentTime(): number {
    return this.atS;
  }
  set currentTime(seconds: number) {
    this.atS = seconds;
    this.seeks += 1;
  }
  paused = true;
  seeking = false;
  error: unknown = null;
  loads = 0;
  play(): Promise<void> {
    this.paused = false;
    return Promise.resolve();
  }
  pause(): void {
    this.paused = true;
  }
  removeAttribute(): void {
    this.src = "";
  }
  load(): void {
    this.loads += 1;
  }
}

class Studio {
  now = 0;
  context: object | null = {};
  readonly elements: FakeElement[] = [];
  readonly fed = new Map<string, unknown>();
  readonly placed = new Map<string, Placement | null>();
  renewed: Recording[] = [];
  renewals = 0;
  /** No file comes. */
  gone = false;
  private ticks: (() => void)[] = [];
  readonly ports: PlayerPorts = {
    sound: {
      start: () => Promise.resolve(),
      feed: (id, node) => void (node ? this.fed.set(id, node) : this.fed.delete(id)),
      place: (id, placement) => void this.placed.set(id, placement),
    },
    element: () => {
      const made = new FakeElement();
      if (this.gone) made.error = new Error("404");
      this.elements.push(made);
      return made;
    },
    context: () => this.context,
    node: (element) => element as unknown as AudioNode,
    nowMs: () => this.now,
    every: (_ms, call) => {
      this.ticks.push(call);
      return () => {
        this.ticks = this.ticks.filter((each) => each !== call);
      };
    },
    renew: () => {
      this.renewals += 1;
      const next = this.renewed.shift();
      return next ? Promise.resolve(next) : Promise.reject(new Error("gone"));
    },
    law: () => ({ kind: "spatial", distance: LAW }),
  };

  player(of = recording()): Player {
    return new Player(of, new Timeline(LINES), this.ports, () => {});
  }

  /** Time passes, and elements play on. */
  pass(ms: number): void {
    for (let left = ms; left > 0; left -= 100) {
      this.now += 100;
      for (const element of this.elements) if (!element.paused) element.currentTime += 0.1;
      for (const tick of [...this.ticks]) tick();
    }
  }

  get running(): number {
    return this.ticks.length;
  }
}

describe("a timeline", () => {
  const timeline = new Timeline(LINES);

  it("knows who speaks within a stretch", () => {
    expect(timeline.speaks(ADA, 0, 999)).toBe(false);
    expect(timeline.speaks(ADA, 0, 1000)).toBe(true);
    expect(timeline.speaks(ADA, 4000, 7999)).toBe(false);
    expect(timeline.speaks(ADA, 9000, 99_000)).toBe(true);
    expect(timeline.speaks("eve.tab00001", 0, 9000)).toBe(false);
  });

  it("knows where they stand, as far as anybody knew", () => {
    expect(timeline.place(ADA, 0)).toEqual([-1, 0, 0]);
    expect(timeline.place(ADA, 2999)).toEqual([-1, 0, 0]);
    expect(timeline.place(ADA, 3000)).toEqual([5, 0, 0]);
    expect(timeline.place(BOB, 9000)).toBeNull();
  });
});

describe("a player", () => {
  it("plays who speaks, from where they stood, by one clock", async () => {
    const studio = new Studio();
    const player = studio.player();
    await player.play();
    expect([...studio.fed.keys()]).toEqual([`play:${ADA}`]);
    const [ada] = studio.elements;
    expect(ada?.paused).toBe(true);
    studio.pass(1500);
    expect(ada?.paused).toBe(false);
    expect(ada?.currentTime).toBeCloseTo(0.5, 1);
    expect(studio.placed.get(`play:${ADA}`)).toMatchObject({ who: ADA, position: [-1, 0, 0], gain: 1 });
    expect(player.speakers).toEqual(["Ada"]);
    studio.pass(2000);
    expect(studio.placed.get(`play:${ADA}`)?.position).toEqual([5, 0, 0]);
    studio.pass(1000);
    expect([...studio.fed.keys()]).toEqual([`play:${BOB}`]);
    expect(studio.placed.get(`play:${ADA}`)).toBeNull();
  });

  it("puts right what has run off, and not what has not", async () => {
    const studio = new Studio();
    await studio.player().play();
    studio.pass(2000);
    const ada = studio.elements[0] as FakeElement;
    ada.currentTime += 0.1;
    const near = ada.currentTime;
    studio.pass(100);
    expect(ada.currentTime).toBeCloseTo(near + 0.1, 3);
    ada.currentTime += 1;
    studio.pass(100);
    expect(ada.currentTime).toBeCloseTo(1.2, 1);
  });

  it("pauses, goes elsewhere and on, and ends by itself", async () => {
    const studio = new Studio();
    const player = studio.player();
    await player.play();
    studio.pass(2000);
    player.pause();
    studio.pass(5000);
    expect([player.positionMs, player.playing, studio.elements[0]?.paused]).toEqual([2000, false, true]);
    player.seek(6500);
    expect([...studio.fed.keys()].sort()).toEqual([`play:${ADA}`, `play:${BOB}`]);
    expect(studio.elements.at(-1)?.currentTime).toBeCloseTo(0.5, 3);
    await player.play();
    studio.pass(4000);
    expect([player.positionMs, player.playing]).toEqual([10_000, false]);
    await player.play();
    expect(player.positionMs).toBe(0);
    player.seek(99_999);
    expect(player.positionMs).toBe(10_000);
  });

  it("asks for new addresses where one has ended, once", async () => {
    const studio = new Studio();
    const player = studio.player();
    await player.play();
    const fresh = recording();
    studio.renewed = [
      { ...fresh, tracks: (fresh.tracks ?? []).map((track) => ({ ...track, url: "https://b/2" })) },
    ];
    studio.pass(1500);
    const before = studio.elements[0] as FakeElement;
    before.error = new Error("403");
    studio.pass(100);
    await Promise.resolve();
    await Promise.resolve();
    studio.pass(100);
    const after = studio.elements.at(-1) as FakeElement;
    expect([before.loads, after.src, after === before]).toEqual([1, "https://b/2", false]);
  });

  it("asks no sooner than after half a minute again for what does not come, nor for new addresses", async () => {
    const studio = new Studio();
    const fresh = recording();
    studio.gone = true;
    await studio.player().play();
    const wait = async (ms: number): Promise<void> => {
      for (let passed = 0; passed < ms; passed += 100) {
        studio.pass(100);
        await new Promise((resolve) => setTimeout(resolve));
      }
    };
    await wait(1500);
    expect([studio.elements.length, studio.renewals]).toEqual([1, 1]);
    const again = studio.player();
    studio.renewed = [fresh];
    await again.play();
    await wait(1500);
    expect([studio.elements.length, studio.renewals]).toEqual([3, 2]);
  });

  it("stands still while it is paused", async () => {
    const studio = new Studio();
    const player = studio.player();
    await player.play();
    studio.pass(2000);
    player.pause();
    const ada = studio.elements[0] as FakeElement;
    const before = ada.seeks;
    studio.pass(1000);
    expect([ada.seeks, ada.paused]).toEqual([before, true]);
  });

  it("pauses where all sound is stopped, and goes on with what is made anew", async () => {
    const studio = new Studio();
    const player = studio.player();
    await player.play();
    studio.pass(2000);
    studio.context = null;
    studio.pass(100);
    expect([player.playing, studio.fed.size]).toEqual([false, 0]);
    studio.context = {};
    await player.play();
    expect([studio.elements.length, studio.fed.size, player.positionMs]).toEqual([2, 1, 2100]);
  });

  it("plays nothing where it was closed before there was sound", async () => {
    const studio = new Studio();
    const player = studio.player();
    const playing = player.play();
    player.close();
    await playing;
    expect([studio.elements.length, player.playing]).toEqual([0, false]);
  });

  it("leaves nothing behind", async () => {
    const studio = new Studio();
    const player = studio.player();
    await player.play();
    studio.pass(2000);
    player.close();
    expect([studio.fed.size, studio.running, studio.elements[0]?.paused]).toEqual([0, 0, true]);
  });
});

describe("the list", () => {
  function world(lists: Recording[][]): {
    recordings: Recordings;
    waits: [number, () => void][];
    asked: string[];
  } {
    const waits: [number, () => void][] = [];
    const asked: string[] = [];
    const studio = new Studio();
    const note = (what: string): Promise<Recording> => {
      asked.push(what);
      return Promise.resolve(recording());
    };
    const ports: RecordingsPorts = {
      api: {
        recordings: () =>
          Promise.resolve({ recordings: lists.length > 1 ? (lists.shift() ?? []) : (lists[0] ?? []) }),
        recording: () => note("files"),
        startRecording: (_id, body) => note(`start ${body.channel_id}`),
        changeRecording: (_id, _recording, body) => note(JSON.stringify(body)),
        deleteRecording: async () => void asked.push("delete"),
      },
      sessionId: "ses_a",
      text: () => Promise.resolve(LINES),
      after: (ms, call) => {
        const wait: [number, () => void] = [ms, call];
        waits.push(wait);
        return () => void (waits.includes(wait) && waits.splice(waits.indexOf(wait), 1));
      },
      player: studio.ports,
      law: () => ({ kind: "spatial", distance: LAW }),
    };
    return { recordings: new Recordings(ports), waits, asked };
  }

  it("is looked at again while anything of it is to change", async () => {
    const { recordings, waits } = world([[recording({ status: "finishing" })], [recording()]]);
    await recordings.read();
    expect(waits.map(([ms]) => ms)).toEqual([2000]);
    waits[0]?.[1]();
    await new Promise((resolve) => setTimeout(resolve));
    expect([recordings.list[0]?.status, recordings.known]).toEqual(["ready", true]);
    expect(pauseOf([recording({ status: "recording" })])).toBe(30_000);
    expect(pauseOf([recording({ mix: "making" })])).toBe(2000);
    expect(pauseOf([recording()])).toBeNull();
  });

  it("starts, stops, mixes and deletes; what is deleted is played no more", async () => {
    const { recordings, asked } = world([[recording()]]);
    const id = recording().recording_id;
    await recordings.start("main", null);
    await recordings.finish(id);
    await recordings.mix(id);
    await recordings.open(id);
    expect(recordings.player?.playing).toBe(true);
    await recordings.remove(id);
    expect(recordings.player).toBeNull();
    expect(asked).toEqual(["start main", '{"stop":true}', '{"mix":true}', "files", "delete"]);
    recordings.close();
  });

  it("plays what was chosen last, and nothing once the room was left", async () => {
    const { recordings } = world([[recording()]]);
    const id = recording().recording_id;
    const first = recordings.open(id);
    await recordings.open(id);
    const { player } = recordings;
    await first;
    expect([player?.playing, recordings.player === player]).toEqual([true, true]);
    recordings.shut();
    const late = recordings.open(id);
    recordings.close();
    await late;
    expect(recordings.player).toBeNull();
  });

  it("says of each what there is to know", () => {
    const words = (status: Recording["status"], mix: Recording["mix"] = "none"): string =>
      stateWords({ status, mix });
    expect([words("recording"), words("finishing"), words("failed"), words("ready")]).toEqual([
      "being recorded",
      "being put together",
      "could not be put together",
      "",
    ]);
    expect([words("ready", "queued"), words("ready", "failed"), words("ready", "ready")]).toEqual([
      "mix is being made",
      "mix could not be made",
      "with mix",
    ]);
  });
});
