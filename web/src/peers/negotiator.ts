/**
 * Perfect negotiation of one connection (W3C WebRTC, section 10.7), over signals that may be late, lost or out of order.
 *
 * One thing happens at a time: what comes while a description is being set waits its turn. Where both sides have an offer
 * out, the polite one takes its own back and answers; the other lets the offer pass. Candidates wait for the description
 * they belong to. An offer that nobody answers is sent again, as it is: whoever has answered it answers again.
 */

import type { IceCandidate } from "../wire/generated";
import { LIMITS } from "../wire/generated";
import type { CandidateLike, ConnectionLike, RtcPorts } from "./ports";

const BATCH_MS = 50;
const ANSWER_WITHIN_MS = 4000;
const OFFERS_MAX = 3;
const WAITING_MAX = 64;
/** Of one connection in all its life; a connection that needs more is made anew. */
const CANDIDATES_MAX = 512;
/** Data channels, and some media to come. */
const SECTIONS_MAX = 16;

export interface NegotiatorEvents {
  offer(sdp: string): void;
  answer(sdp: string): void;
  candidates(candidates: readonly IceCandidate[]): void;
  /** An offer was taken; the answer is made next. */
  answering(): void;
  /** It cannot be cured: a description was refused, or no offer was answered. */
  failed(why: string): void;
}

export class Negotiator {
  private turn: Promise<void> = Promise.resolve();
  private over = false;
  private unanswered = 0;
  private heard = -1;
  private candidatesHeard = 0;
  private batch: IceCandidate[] = [];
  private waiting: CandidateLike[] = [];
  private cancelBatch: () => void = nothing;
  private cancelAnswer: () => void = nothing;

  constructor(
    private readonly ports: RtcPorts,
    private readonly connection: ConnectionLike,
    private readonly polite: boolean,
    /** This side answers first: it was offered to. */
    private answers: boolean,
    private readonly events: NegotiatorEvents,
  ) {
    connection.onnegotiationneeded = () => {
      // What there is to negotiate at first, the offer that came has.
      if (!this.answers) this.next(() => this.makeOffer());
    };
    connection.onicecandidate = ({ candidate }) => this.gathered(candidate);
  }

  /** Another offer came on this link. */
  offered(sdp: string): void {
    this.next(async () => {
      if (this.connection.signalingState !== "stable" && !this.polite) return;
      const version = versionOf(sdp);
      if (version < this.heard) return; // it was overtaken by a newer one
      this.heard = version;
      bounded(sdp);
      await this.connection.setRemoteDescription({ type: "offer", sdp });
      this.answered();
      await this.flushWaiting();
      this.events.answering();
      await this.connection.setLocalDescription();
      this.answers = false;
      if (this.connection.localDescription) this.events.answer(this.connection.localDescription.sdp);
    });
  }

  /** The answer to the newest offer. */
  accepted(sdp: string): void {
    this.next(async () => {
      if (this.connection.signalingState !== "have-local-offer") return;
      bounded(sdp);
      await this.connection.setRemoteDescription({ type: "answer", sdp });
      this.answered();
      await this.flushWaiting();
    });
  }

  /** Candidates of the other side. */
  candidates(candidates: readonly IceCandidate[]): void {
    this.next(async () => {
      this.candidatesHeard += candidates.length;
      if (this.candidatesHeard > CANDIDATES_MAX) throw new Error("too many candidates");
      this.waiting.push(...candidates.map(likeOf));
      this.waiting = this.waiting.slice(-WAITING_MAX);
      await this.flushWaiting();
    });
  }

  /** New credentials, by a new offer. */
  restart(): void {
    if (!this.over) this.connection.restartIce();
  }

  close(): void {
    this.over = true;
    this.cancelBatch();
    this.cancelAnswer();
    this.connection.onnegotiationneeded = null;
    this.connection.onicecandidate = null;
  }

  private next(act: () => Promise<void>): void {
    this.turn = this.turn.then(async () => {
      if (this.over) return;
      try {
        await act();
      } catch (thrown) {
        if (!this.over) this.events.failed(thrown instanceof Error ? thrown.message : String(thrown));
      }
    });
  }

  private async makeOffer(): Promise<void> {
    if (this.connection.signalingState !== "stable") return; // it is asked for again once that is settled
    await this.connection.setLocalDescription();
    this.unanswered = 0;
    this.sendOffer();
  }

  private sendOffer(): void {
    const { localDescription, signalingState } = this.connection;
    if (localDescription?.type !== "offer" || signalingState !== "have-local-offer") return;
    this.unanswered += 1;
    this.cancelAnswer();
    if (this.unanswered > OFFERS_MAX) {
      this.events.failed("unanswered");
      return;
    }
    this.events.offer(localDescription.sdp);
    const patience = ANSWER_WITHIN_MS * this.unanswered * (0.9 + 0.2 * this.ports.random());
    this.cancelAnswer = this.ports.after(patience, () => this.next(async () => this.sendOffer()));
  }

  private answered(): void {
    this.unanswered = 0;
    this.cancelAnswer();
  }

  /** Adds what belongs to the description that is there; what does not may belong to the next. */
  private async flushWaiting(): Promise<void> {
    if (!this.connection.remoteDescription) return;
    const waiting = this.waiting;
    this.waiting = [];
    for (const candidate of waiting) {
      try {
        await this.connection.addIceCandidate(candidate);
      } catch {
        this.waiting.push(candidate); // of an offer that is on its way, or was let pass
      }
    }
  }

  private gathered(candidate: CandidateLike | null): void {
    if (!candidate?.candidate || candidate.candidate.length > LIMITS.CANDIDATE_CHARS) return;
    this.batch.push({
      candidate: candidate.candidate,
      ...(candidate.sdpMid !== null ? { sdp_mid: candidate.sdpMid } : {}),
      ...(candidate.sdpMLineIndex !== null ? { sdp_m_line_index: candidate.sdpMLineIndex } : {}),
      ...(candidate.usernameFragment ? { username_fragment: candidate.usernameFragment } : {}),
    });
    if (this.batch.length === 1) this.cancelBatch = this.ports.after(BATCH_MS, () => this.sendBatch());
  }

  private sendBatch(): void {
    const gathered = this.batch;
    this.batch = [];
    for (let from = 0; from < gathered.length; from += LIMITS.CANDIDATES_PER_MESSAGE) {
      this.events.candidates(gathered.slice(from, from + LIMITS.CANDIDATES_PER_MESSAGE));
    }
  }
}

/** Grows with each description that one side makes (RFC 8866 section 5.2). */
function versionOf(sdp: string): number {
  return Number(/^o=\S+ \S+ (\d+)/m.exec(sdp)?.[1] ?? 0);
}

/** Throws where a description has more sections than anybody needs: a browser makes something of each. */
function bounded(sdp: string): void {
  if (sdp.split("\nm=").length - 1 > SECTIONS_MAX) throw new Error("too many sections");
}

function likeOf({ candidate, sdp_mid, sdp_m_line_index, username_fragment }: IceCandidate): CandidateLike {
  return {
    candidate,
    sdpMid: sdp_mid ?? null,
    sdpMLineIndex: sdp_m_line_index ?? (sdp_mid ? null : 0),
    usernameFragment: username_fragment ?? null,
  };
}

function nothing(): void {}
