/**
 * A way out that echo cancellers hear: through a peer connection of the page with itself, into an <audio> element.
 *
 * Chromium's canceller takes as its reference what media elements and remote tracks play; what an AudioContext plays by itself
 * it does not hear, so a person on loudspeakers would send everybody's voices back. It costs some 40 ms and an Opus stream at a rate where
 * nothing is lost that matters, and so is used only while a microphone is open and there are no headphones.
 */

const BITRATE = 256_000;
const PATIENCE_MS = 4000;

export interface LoopbackPorts {
  connection(): RTCPeerConnection;
  element(): HTMLAudioElement;
  after(ms: number, call: () => void): void;
}

export interface Loopback {
  readonly element: HTMLAudioElement;
  close(): void;
}

/** Both channels, at a rate for music: Opus sends mono and for speech where nobody says so (RFC 7587, section 6.1). */
export function inStereo(sdp: string): string {
  const types = [...sdp.matchAll(/^a=rtpmap:(\d+) opus\/48000\/2\r?$/gim)].map((found) => found[1]);
  return types.reduce<string>((text, type) => {
    const wanted = `stereo=1;sprop-stereo=1;maxaveragebitrate=${BITRATE}`;
    const format = new RegExp(`^(a=fmtp:${type} )(.*?)(\\r?)$`, "m");
    if (format.test(text)) {
      return text.replace(
        format,
        (_, head: string, said: string, end: string) => `${head}${without(said)}${wanted}${end}`,
      );
    }
    return text.replace(
      new RegExp(`^(a=rtpmap:${type} .*?)(\\r?)$`, "m"),
      `$1$2\na=fmtp:${type} ${wanted}$2`,
    );
  }, sdp);
}

/** Plays a stream so. Rejects where the two ends do not find each other in time; `lost` is called if they lose each other later. */
export async function openLoopback(
  ports: LoopbackPorts,
  stream: MediaStream,
  lost: () => void,
): Promise<Loopback> {
  const [from, to] = [ports.connection(), ports.connection()];
  const element = ports.element();
  const close = (): void => {
    for (const end of [from, to]) {
      end.onconnectionstatechange = null;
      end.close();
    }
    element.pause();
    element.srcObject = null;
  };
  try {
    await connect(ports, stream, from, to, element);
    await element.play();
  } catch (thrown) {
    close();
    throw thrown;
  }
  from.onconnectionstatechange = () => {
    if (from.connectionState === "failed" || from.connectionState === "closed") lost();
  };
  return { element, close };
}

async function connect(
  ports: LoopbackPorts,
  stream: MediaStream,
  from: RTCPeerConnection,
  to: RTCPeerConnection,
  element: HTMLAudioElement,
): Promise<void> {
  from.onicecandidate = ({ candidate }) => void to.addIceCandidate(candidate ?? undefined).catch(() => {});
  to.onicecandidate = ({ candidate }) => void from.addIceCandidate(candidate ?? undefined).catch(() => {});
  to.ontrack = ({ streams, receiver }) => {
    // There is no network in between: nothing to wait for.
    if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0;
    element.srcObject = streams[0] ?? null;
  };
  const connected = new Promise<void>((resolve, reject) => {
    from.onconnectionstatechange = () => {
      if (from.connectionState === "connected") resolve();
      if (from.connectionState === "failed") reject(new Error("the page does not reach itself"));
    };
    ports.after(PATIENCE_MS, () => reject(new Error("the page does not reach itself in time")));
  });
  connected.catch(() => {});
  for (const track of stream.getAudioTracks()) from.addTrack(track, stream);
  const offer = inStereo((await from.createOffer()).sdp ?? "");
  await from.setLocalDescription({ type: "offer", sdp: offer });
  await to.setRemoteDescription({ type: "offer", sdp: offer });
  const answer = inStereo((await to.createAnswer()).sdp ?? "");
  await to.setLocalDescription({ type: "answer", sdp: answer });
  await from.setRemoteDescription({ type: "answer", sdp: answer });
  await connected;
}

/** What was said already but the three that are to be said, ending so that more can follow. */
function without(said: string): string {
  const kept = said
    .split(";")
    .filter((part) => part && !/^\s*(stereo|sprop-stereo|maxaveragebitrate)=/.test(part));
  return kept.map((part) => `${part.trim()};`).join("");
}
