import { describe, expect, it } from "vitest";
import { inStereo } from "../src/voice/loopback";
import { makeupOf } from "../src/voice/output";

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
