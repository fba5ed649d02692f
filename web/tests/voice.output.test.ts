import { beforeEach, describe, expect, it } from "vitest";
import { inStereo } from "../src/voice/loopback";
import { makeupOf, Output } from "../src/voice/output";
import { FakeContext, FakeElement, type FakeNode, FakeTimers } from "./fakeaudio";

const OFFER = [
  "v=0",
  "m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9",
  "a=rtpmap:111 opus/48000/2",
  "a=rtcp-fb:111 transport-cc",
  "a=fmtp:111 minptime=10;useinbandfec=1",
  "a=rtpmap:63 red/48000/2",
  "a=fmtp:63 111/111",
  "a=rtpmap:9 G722/8000",
  "",
].join("\r\n");
const WANTED = "stereo=1;sprop-stereo=1;maxaveragebitrate=256000";

describe("A description for the page's own loop", () => {
  it("has Opus in stereo, and all else as it was", () => {
    expect(inStereo(OFFER)).toBe(OFFER.replace("useinbandfec=1", `useinbandfec=1;${WANTED}`));
  });

  it("stays the same when it is made once more", () => {
    expect(inStereo(inStereo(OFFER))).toBe(inStereo(OFFER));
  });

  it("says otherwise than one that wants mono", () => {
    const mono = OFFER.replace("useinbandfec=1", "stereo=0;useinbandfec=1");
    expect(inStereo(mono)).toBe(inStereo(OFFER));
  });

  it("gets a line of parameters where Opus had none", () => {
    const bare = OFFER.replace("a=fmtp:111 minptime=10;useinbandfec=1\r\n", "");
    expect(inStereo(bare)).toContain(`a=rtpmap:111 opus/48000/2\r\na=fmtp:111 ${WANTED}\r\n`);
  });

  it("without Opus is left alone", () => {
    expect(inStereo("v=0\r\na=rtpmap:9 G722/8000\r\n")).toBe("v=0\r\na=rtpmap:9 G722/8000\r\n");
  });
});

describe("The limiter's makeup", () => {
  it("is what the Web Audio API makes everything louder by: nothing where it never limits", () => {
    expect(makeupOf(0, 20)).toBe(1);
    expect(20 * Math.log10(makeupOf(-6, 20))).toBeCloseTo(0.6 * 5.7, 9);
  });
});

/** One end of a page's connection with itself; connects when the other side's answer is in, if it may. */
class FakeEnd {
  connectionState = "new";
  onicecandidate: ((event: { candidate: unknown }) => void) | null = null;
  onconnectionstatechange: (() => void) | null = null;
  ontrack: ((event: { streams: unknown[]; receiver: object }) => void) | null = null;
  readonly told: string[] = [];

  constructor(private readonly connects: boolean) {}

  addTrack(): void {}

  async createOffer(): Promise<{ sdp: string }> {
    return { sdp: OFFER };
  }

  async createAnswer(): Promise<{ sdp: string }> {
    return { sdp: OFFER };
  }

  async addIceCandidate(): Promise<void> {}

  async setLocalDescription({ sdp }: { sdp: string }): Promise<void> {
    this.told.push(sdp);
    this.onicecandidate?.({ candidate: null });
  }

  async setRemoteDescription({ type, sdp }: { type: string; sdp: string }): Promise<void> {
    this.told.push(sdp);
    if (type === "offer") this.ontrack?.({ streams: [{}], receiver: { jitterBufferTarget: null } });
    if (type === "answer" && this.connects) this.become("connected");
  }

  become(state: string): void {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }

  close(): void {
    this.connectionState = "closed";
  }
}

class Room {
  readonly timers = new FakeTimers();
  readonly context = new FakeContext();
  readonly ends: FakeEnd[] = [];
  readonly elements: FakeElement[] = [];
  connects = true;
  mayPlay = true;
  fells = 0;
  readonly output = new Output(
    this.context as unknown as AudioContext,
    { soon: () => this.context.currentTime + 0.01, after: this.timers.after },
    {
      connection: () => {
        this.ends.push(new FakeEnd(this.connects));
        return this.ends.at(-1) as unknown as RTCPeerConnection;
      },
      element: () => {
        this.elements.push(new FakeElement(this.mayPlay));
        return this.elements.at(-1) as unknown as HTMLAudioElement;
      },
      after: this.timers.after,
    },
    () => {
      this.fells += 1;
    },
  );

  /** How loud each way is, once all was faded. */
  get ways(): { direct: number; safe: number } {
    const at = this.context.currentTime + 1;
    const [bus] = this.context.made as [FakeNode];
    const stream = this.context.made.find(({ kind }) => kind === "stream") as FakeNode;
    const [direct, safe] = [bus.gainTo(this.context.destination, at), bus.gainTo(stream, at)];
    return { direct: Number(direct > 0), safe: Number(safe > 0) };
  }

  get open(): number {
    return this.ends.filter(({ connectionState }) => connectionState !== "closed").length;
  }

  async settle(ms = 0): Promise<void> {
    for (let n = 0; n < 40; n++) await Promise.resolve();
    this.context.currentTime += ms / 1000;
    this.timers.pass(ms);
    for (let n = 0; n < 40; n++) await Promise.resolve();
  }
}

describe("The way out", () => {
  let room: Room;

  beforeEach(() => {
    room = new Room();
  });

  it("is direct, until an echo canceller is to hear it, and again when that is over", async () => {
    expect(room.ways).toEqual({ direct: 1, safe: 0 });
    room.output.cancelled(true);
    expect(room.ways).toEqual({ direct: 1, safe: 0 });
    await room.settle(100);
    expect(room.ways).toEqual({ direct: 0, safe: 1 });
    expect(room.elements[0]).toMatchObject({ playing: true, muted: false });
    expect(room.ends.flatMap(({ told }) => told).every((sdp) => sdp.includes(WANTED))).toBe(true);
    room.output.cancelled(false);
    expect(room.ways).toEqual({ direct: 1, safe: 0 });
    await room.settle(1000);
    expect([room.open, room.elements[0]?.srcObject]).toEqual([0, null]);
  });

  it("stays direct where the page does not reach itself in time", async () => {
    room.connects = false;
    room.output.cancelled(true);
    await room.settle(10_000);
    expect([room.ways, room.open]).toEqual([{ direct: 1, safe: 0 }, 0]);
  });

  it("stays direct where the element may not play", async () => {
    room.mayPlay = false;
    room.output.cancelled(true);
    await room.settle(100);
    expect([room.ways, room.open]).toEqual([{ direct: 1, safe: 0 }, 0]);
  });

  it("is direct while the loop is lost, and safe again when there is a new one", async () => {
    room.output.cancelled(true);
    await room.settle(100);
    room.ends[0]?.become("failed");
    expect(room.ways).toEqual({ direct: 1, safe: 0 });
    await room.settle(100);
    expect([room.ways, room.open]).toEqual([{ direct: 0, safe: 1 }, 2]);
  });

  it("keeps no loop that nobody wants any more when it opens", async () => {
    room.output.cancelled(true);
    room.output.cancelled(false);
    await room.settle(1000);
    expect([room.ways, room.open]).toEqual([{ direct: 1, safe: 0 }, 0]);
  });

  it("plays on the chosen device by either way", async () => {
    await room.output.playOn("headset");
    room.output.cancelled(true);
    await room.settle(100);
    expect([room.context.sinks, room.elements[0]?.sinks]).toEqual([["headset"], ["headset"]]);
    await room.output.playOn("gone");
    expect([room.context.sinks.at(-1), room.elements[0]?.sinks.at(-1)]).toEqual(["", "gone"]);
  });

  it("says when the chosen device goes, or does not play, and when it is back", async () => {
    await room.output.playOn("headset");
    room.output.available(["headset", "speakers"]);
    await room.settle();
    expect([room.output.fellBack, room.fells]).toEqual([false, 0]);
    room.output.available(["speakers"]);
    await room.settle();
    expect([room.output.fellBack, room.fells, room.context.sinks.at(-1)]).toEqual([true, 1, ""]);
    room.output.available(["headset", "speakers"]);
    await room.settle();
    expect([room.output.fellBack, room.fells, room.context.sinks.at(-1)]).toEqual([false, 2, "headset"]);
    await room.output.playOn("gone");
    expect([room.output.fellBack, room.fells]).toEqual([true, 3]);
    await room.output.playOn(null);
    expect([room.output.fellBack, room.fells]).toEqual([false, 4]);
  });

  it("says so of a device that is remembered and not there from the start", async () => {
    room.output.available(["speakers"]);
    await room.output.playOn("headset");
    expect([room.output.fellBack, room.context.sinks]).toEqual([true, []]);
  });

  it("leaves nothing behind when it is closed, open or opening", async () => {
    room.output.cancelled(true);
    room.output.close();
    await room.settle(1000);
    expect([room.open, room.context.connected.size]).toEqual([0, 0]);
    const other = new Room();
    other.output.cancelled(true);
    await other.settle(100);
    other.output.close();
    expect([other.open, other.context.connected.size, other.elements[0]?.srcObject]).toEqual([0, 0, null]);
  });
});
