/** What the real-time plane needs from the world; the browser gives it, tests give their own. */

import type { IceServers, WebRtcSession } from "../wire/generated";
import type { Stat } from "./getstats";

/** RTCDataChannel, as far as it is used. */
export interface ChannelLike {
  readonly readyState: string;
  readonly bufferedAmount: number;
  onopen: (() => void) | null;
  onclose: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  send(text: string): void;
}

export interface DescriptionLike {
  type: "offer" | "answer" | "pranswer" | "rollback";
  sdp: string;
}

export interface CandidateLike {
  candidate: string;
  sdpMid: string | null;
  sdpMLineIndex: number | null;
  usernameFragment: string | null;
}

/** RTCRtpSender, as far as it is used. */
export interface SenderLike {
  readonly track: MediaStreamTrack | null;
  replaceTrack(track: MediaStreamTrack | null): Promise<void>;
  getParameters(): RTCRtpSendParameters;
  setParameters(parameters: RTCRtpSendParameters): Promise<void>;
}

/** RTCRtpTransceiver, as far as it is used. */
export interface TransceiverLike {
  readonly mid: string | null;
  direction: RTCRtpTransceiverDirection;
  /** What was negotiated; null: nothing yet. */
  readonly currentDirection: RTCRtpTransceiverDirection | null;
  readonly sender: SenderLike;
  readonly receiver: { readonly track: MediaStreamTrack };
  stop(): void;
}

/** RTCPeerConnection, as far as it is used. */
export interface ConnectionLike {
  readonly signalingState: string;
  readonly iceConnectionState: string;
  readonly localDescription: DescriptionLike | null;
  readonly remoteDescription: DescriptionLike | null;
  onnegotiationneeded: (() => void) | null;
  onicecandidate: ((event: { candidate: CandidateLike | null }) => void) | null;
  oniceconnectionstatechange: (() => void) | null;
  createDataChannel(label: string, options: RTCDataChannelInit): ChannelLike;
  addTransceiver(kind: "audio", init: { direction: RTCRtpTransceiverDirection }): TransceiverLike;
  getTransceivers(): readonly TransceiverLike[];
  /** Without a description: the one that is due, an offer or an answer. */
  setLocalDescription(): Promise<void>;
  /** An offer while one's own is out takes that back (rollback). */
  setRemoteDescription(description: DescriptionLike): Promise<void>;
  addIceCandidate(candidate: CandidateLike): Promise<void>;
  restartIce(): void;
  setConfiguration(configuration: RTCConfiguration): void;
  /** Every entry of the statistics. */
  stats(): Promise<readonly Stat[]>;
  close(): void;
}

export interface RtcPorts {
  now(): number;
  /** In [0, 1). */
  random(): number;
  /** Calls back after that many ms; the result cancels. */
  after(ms: number, call: () => void): () => void;
  /** A new connection; throws where the browser makes no more. */
  connection(configuration: RTCConfiguration): ConnectionLike;
}

/** The routes of the real-time plane for this page; each rejects with something that has a `code`. */
export interface PlaneRoutes {
  iceServers(): Promise<IceServers>;
  open(): Promise<WebRtcSession>;
  join(): Promise<WebRtcSession>;
  leave(): Promise<void>;
}
