/** Recordings in the page: who is played when and from where, what follows the scrubber, what the list does by itself. */

import { describe, expect, it } from "vitest";
import { recordingWords, stateWords } from "../src/ui/recordingwords";
import { type Element, Player, type PlayerPorts } from "../src/voice/player";
import { filesKey, pauseOf, Recordings, type RecordingsPorts } from "../src/voice/recordings";
import { LAW } from "../src/voice/relations";
import { Timeline } from "../src/voice/timeline";
import type { Placement } from "../src/voice/types";
import type { EmptyBecause, Recording } from "../src/wire/generated";

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
    expect([player.positionMs, player.playing, player.speakers]).toEqual([10_000, false, []]);
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
    api: RecordingsPorts["api"];
    reads: () => number;
    pass(ms: number): Promise<void>;
  } {
    let read = 0;
    const waits: [number, () => void][] = [];
    const asked: string[] = [];
    const studio = new Studio();
    const note = (what: string): Promise<Recording> => {
      asked.push(what);
      return Promise.resolve(recording());
    };
    const ports: RecordingsPorts = {
      api: {
        recordings: () => {
          read += 1;
          return Promise.resolve({ recordings: lists.length > 1 ? (lists.shift() ?? []) : (lists[0] ?? []) });
        },
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
    /** Time passes; what was to be done by its end is done. */
    const pass = async (ms: number): Promise<void> => {
      studio.now += ms;
      for (const wait of [...waits]) {
        wait[0] -= ms;
        if (wait[0] > 0) continue;
        waits.splice(waits.indexOf(wait), 1);
        wait[1]();
      }
      await new Promise((resolve) => setTimeout(resolve));
    };
    return { recordings: new Recordings(ports), waits, asked, api: ports.api, reads: () => read, pass };
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

  it("is read again while it is looked at, each half minute, and no more once it is not", async () => {
    const { recordings, reads, pass } = world([[recording()]]);
    await recordings.read();
    recordings.show(true);
    await pass(29_000);
    expect(reads()).toBe(1);
    await pass(1000);
    expect(reads()).toBe(2);
    recordings.show(false);
    await pass(600_000);
    expect(reads()).toBe(2);
    recordings.show(true);
    await pass(0);
    expect(reads()).toBe(3);
  });

  it("is read again soon where something happened in the room, however much happens, and only where it is used", async () => {
    const { recordings, reads, pass } = world([[recording()]]);
    await recordings.read();
    recordings.soon();
    await pass(6000);
    expect(reads()).toBe(1);
    recordings.show(true);
    await pass(0);
    for (let n = 0; n < 50; n++) {
      recordings.soon();
      await pass(100);
    }
    expect(reads()).toBe(3);
    recordings.close();
    recordings.soon();
    await pass(60_000);
    expect(reads()).toBe(3);
  });

  it("is tried again where it could not be read", async () => {
    const { recordings, api, reads, pass } = world([[recording()]]);
    await recordings.read();
    recordings.show(true);
    const real = api.recordings;
    api.recordings = () => Promise.reject(new Error("away"));
    await pass(30_000);
    api.recordings = real;
    await pass(30_000);
    expect(reads()).toBe(2);
  });

  it("ends what is played where another has deleted it, and says so once", async () => {
    const { recordings, pass } = world([[recording()], []]);
    const gone: string[] = [];
    recordings.onGone(({ name }) => gone.push(name));
    await recordings.read();
    await recordings.open(recording().recording_id);
    expect(recordings.player?.playing).toBe(true);
    await pass(30_000);
    expect([recordings.player, recordings.list, gone]).toEqual([null, [], ["Stand-up"]]);
    await recordings.read();
    expect(gone).toHaveLength(1);
  });

  it("has files that are others once a mix is among them, or it was put together", () => {
    const key = (change: Partial<Recording>): string => filesKey(recording(change));
    expect(key({ mix: "making" })).toBe(key({ mix: "none" }));
    expect(key({ mix: "ready" })).not.toBe(key({ mix: "making" }));
    expect(key({ status: "finishing" })).not.toBe(key({}));
  });

  it("counts by itself how long the one that is recorded now is", () => {
    const one = recording({ status: "recording", duration_ms: 0 });
    const active = { ...one, consented: [] };
    expect(recordingWords(one, active, START + 8400)).toBe("0:08 · just now · being recorded");
    expect(recordingWords(one, null, START + 8400)).toBe("0:00 · just now · being recorded");
    const other = recording({ recording_id: "rec_b", duration_ms: 3000, mix: "ready" });
    expect(recordingWords(other, active, START + 8400)).toBe("0:03 · just now · with mix");
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
    const empty = (status: Recording["status"], empty_because: EmptyBecause): string =>
      stateWords({ status, mix: "none", empty_because });
    expect([empty("failed", "no_node"), empty("ready", "nobody_spoke"), empty("failed", "not_made")]).toEqual(
      [
        "it was over before anything was written",
        "nothing was said by whoever agreed",
        "could not be put together",
      ],
    );
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
