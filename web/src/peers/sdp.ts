/**
 * Descriptions as they are told to the other side: of every audio section Opus alone, as docs/voice.md has it. Pure.
 *
 * What a browser offers beside it (other codecs, other header extensions, feedback that nobody reads) is taken out of the text, what it can do but does not say
 * (NACK for audio, DTX) is put in. The description that the browser itself keeps stays as it made it: an answer names what both have, and what was not offered is not answered.
 */

/** RFC 7587 section 6.1. What a description says is how the other side encodes. */
export const OPUS_FMTP = "minptime=10;useinbandfec=1;usedtx=1;stereo=0";
const LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";

/** The text with its audio sections cut down to what is agreed; other sections stay as they are. */
export function refined(sdp: string): string {
  return sdp
    .split(/^(?=m=)/m)
    .map((section) => (section.startsWith("m=audio ") ? audio(section) : section))
    .join("");
}

function audio(section: string): string {
  const opus = /^a=rtpmap:(\d+) opus\/48000\/2\r?$/im.exec(section)?.[1];
  if (opus === undefined) return section;
  return section
    .split("\r\n")
    .flatMap((line) => lineOf(line, opus))
    .join("\r\n");
}

/** What becomes of a line. */
function lineOf(line: string, opus: string): string[] {
  if (line.startsWith("m=audio ")) return [line.split(" ").slice(0, 3).concat(opus).join(" ")];
  if (line.startsWith("a=extmap:")) return line.endsWith(` ${LEVEL}`) ? [line] : [];
  if (line.startsWith("a=rtpmap:")) {
    const own = [line, `a=rtcp-fb:${opus} nack`, `a=fmtp:${opus} ${OPUS_FMTP}`];
    return line.startsWith(`a=rtpmap:${opus} `) ? own : [];
  }
  return line.startsWith("a=fmtp:") || line.startsWith("a=rtcp-fb:") ? [] : [line];
}
