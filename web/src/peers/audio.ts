/**
 * The audio of one connection: which sections it has, what is sent in its own, what comes in the others. See docs/voice.md.
 *
 * To the node there are all that there will ever be, from the first offer on; between pages there is one, `sendrecv`, that one side adds and the other
 * answers. Law: whatever is put in, taken out, or sent at another rate afterwards negotiates nothing.
 */

import { LIMITS } from "../wire/generated";
import type { ConnectionLike, TransceiverLike } from "./ports";

export class LinkAudio {
  private own: TransceiverLike | null = null;
  private readonly others: TransceiverLike[] = [];
  private wanted: MediaStreamTrack | null = null;
  private busy = false;
  private kbps = 0;
  private tunedKbps = 0;

  constructor(
    private readonly connection: ConnectionLike,
    private readonly node: boolean,
  ) {
    if (!node) return;
    this.own = connection.addTransceiver("audio", { direction: "sendonly" });
    for (let slot = 0; slot < LIMITS.VOICE_SLOTS; slot++) {
      this.others.push(connection.addTransceiver("audio", { direction: "recvonly" }));
    }
  }

  /** Adds the section between two pages, where it is not there. Only one side does: an offer follows. */
  add(): void {
    if (this.node || this.own) return;
    this.own = this.connection.addTransceiver("audio", { direction: "sendrecv" });
  }

  /** Before an offer of another page is answered: its first audio section is taken, whatever else it has is refused. */
  answering(): void {
    if (this.node) return;
    for (const transceiver of this.connection.getTransceivers()) {
      if (this.own === null && transceiver.receiver.track.kind === "audio") {
        transceiver.direction = "sendrecv";
        this.own = transceiver;
      } else if (transceiver !== this.own) transceiver.stop();
    }
  }

  /** The other side takes what is sent. */
  get sends(): boolean {
    const direction = this.own?.currentDirection;
    return direction === "sendrecv" || direction === "sendonly";
  }

  /** What comes: by slot from the node, one from a page. Their places stay; a track is silent while nothing comes. */
  get incoming(): readonly { mid: string | null; track: MediaStreamTrack }[] {
    const sections = this.node ? this.others : this.own ? [this.own] : [];
    return sections
      .filter(({ currentDirection }) => currentDirection !== null && currentDirection !== "stopped")
      .map(({ mid, receiver }) => ({ mid, track: receiver.track }));
  }

  /** Sends this from now on; null: nothing. */
  send(track: MediaStreamTrack | null): void {
    this.wanted = track;
    this.settle();
  }

  /** The encoder's rate at most. */
  tune(kbps: number): void {
    this.kbps = kbps;
    this.settle();
  }

  /** One thing at a time: what was wanted last is what is there in the end. */
  private settle(): void {
    const { own } = this;
    if (!own || this.busy) return;
    const step = this.step(own);
    if (!step) return;
    this.busy = true;
    step.then(
      () => {
        this.busy = false;
        this.settle();
      },
      () => {
        this.busy = false; // it has ended, or is asked again at the next look
      },
    );
  }

  private step(own: TransceiverLike): Promise<void> | null {
    if (own.sender.track !== this.wanted) return own.sender.replaceTrack(this.wanted);
    if (this.kbps === this.tunedKbps || !this.sends) return null;
    const { kbps } = this;
    const parameters = own.sender.getParameters();
    for (const encoding of parameters.encodings) encoding.maxBitrate = kbps * 1000;
    const tuned = (): void => {
      this.tunedKbps = kbps; // or it cannot be: then the description's rate stays, and nobody asks ten times a second
    };
    return own.sender.setParameters(parameters).then(tuned, tuned);
  }
}
