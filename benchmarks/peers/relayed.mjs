/**
 * One participant's way to the room's media node: signalling by WebSocket, one peer connection, two channels
 * (docs/webrtc.md). The stack is libdatachannel (node-datachannel): native, another than Chromium's and than the node's, at
 * half the CPU of libwebrtc (@roamhq/wrtc) for 50 participants at 20 Hz, and a seventh of its threads.
 */

import { randomBytes } from "node:crypto";
import { inflateRawSync } from "node:zlib";
import datachannel from "node-datachannel";

const PRESENCE = { negotiated: true, id: 1, unordered: true, maxRetransmits: 0 };
const CONTROL = { negotiated: true, id: 2 };
// As the page has them (web/src/peers/relay.ts, steering.ts): nobody comes, or asks, in the same moment as all others.
const SPREAD_MS = 150;
const ASK_SPREAD_MS = { lost: 200, count: 1000 };
const ASK_AGAIN_MS = 1500;
const ASK_SELDOM_MS = 15_000;
const OFFER_AGAIN_MS = 8000;
const COME_AGAIN_MS = 700;
const WAITING_MAX_BYTES = 2048; // web/src/peers/teller.ts

/**
 * `say` sends by WebSocket. Told are `frame(bytes)`, `heard(message, bytes)` of the control channel, `opened()` with both
 * channels open, and `through(sdp)`, which may put something between (lossy.mjs).
 */
export class Relayed {
  constructor(say, { frame, heard, opened = () => {}, through = (sdp) => sdp }) {
    this.say = say;
    this.told = { frame, heard, opened, through };
    this.relay = { status: "none", generation: 0 };
    this.members = new Map(); // index -> peer id
    this.open = false;
    this.connection = null;
    this.timer = null;
    this.attempts = 0;
  }

  /** Whatever came by WebSocket. */
  hear(message) {
    if (message.type === "room.state" || message.type === "relay.changed") this.#changed(message.relay);
    else if (message.type === "error" && message.id === `rtc.${this.link}`) this.lost();
    else if (message.link === undefined || message.link !== this.link) return;
    else if (message.type === "peer.answer") this.#answered(message.sdp);
    else if (message.type === "peer.candidate") this.#candidates(message.candidates);
    else if (message.type === "peer.bye") this.lost("count");
  }

  /** A message on the reliable channel; false where there is none. */
  control(message) {
    return this.#send("control", message);
  }

  /** A state on the unreliable one; not where many wait: the next one is newer. */
  presence(message) {
    if (this.open && this.channels.presence.bufferedAmount() > WAITING_MAX_BYTES) return false;
    return this.#send("presence", message);
  }

  /** Asks for a media node until there is one, ever more seldom. */
  ask(reason, asked = 0) {
    clearTimeout(this.timer);
    const spreadMs = asked ? Math.min(ASK_SELDOM_MS, ASK_AGAIN_MS * 2 ** asked) : ASK_SPREAD_MS[reason];
    this.timer = setTimeout(() => {
      this.say({ type: "relay.request", reason, generation: this.relay.generation });
      this.ask(reason, asked + 1);
    }, (asked ? ASK_AGAIN_MS : 0) + spreadMs * Math.random());
  }

  /** The connection is no more; the next one is asked for. */
  lost(reason = "lost") {
    this.#drop();
    this.ask(reason);
  }

  close() {
    clearTimeout(this.timer);
    this.#drop();
  }

  #changed(relay) {
    const another = relay.peer_id !== this.relay.peer_id || relay.generation !== this.relay.generation;
    this.relay = relay;
    if (relay.status !== "ready") {
      if (!another) return; // an answer to what was asked
      this.#drop();
      this.ask("count");
    } else if (another || this.connection === null) {
      this.#drop();
      this.attempts = another ? 0 : this.attempts + 1;
      const dueMs = another ? SPREAD_MS : Math.min(ASK_SELDOM_MS, COME_AGAIN_MS * 2 ** this.attempts);
      this.timer = setTimeout(() => this.#offer(), dueMs * Math.random());
    }
  }

  #offer() {
    this.#drop();
    const link = randomBytes(6).toString("hex");
    const connection = new datachannel.PeerConnection(link, { iceServers: [], disableAutoNegotiation: true });
    const presence = connection.createDataChannel("presence", PRESENCE);
    const control = connection.createDataChannel("control", CONTROL);
    const opened = () => {
      if (this.link !== link || this.open || !presence.isOpen() || !control.isOpen()) return;
      clearTimeout(this.timer);
      this.open = true;
      this.attempts = 0;
      this.told.opened();
    };
    for (const channel of [presence, control]) {
      channel.onOpen(opened);
      channel.onClosed(() => this.link === link && this.lost());
    }
    presence.onMessage((data) => this.link === link && this.told.frame(bytesOf(data)));
    control.onMessage((data) => this.link === link && this.#control(data));
    connection.onLocalDescription((sdp) => this.say({ type: "peer.offer", id: `rtc.${link}`, to: this.relay.peer_id, link, sdp }));
    Object.assign(this, { link, connection, channels: { presence, control } });
    connection.setLocalDescription("offer");
    this.timer = setTimeout(() => this.link === link && !this.open && this.lost(), OFFER_AGAIN_MS);
  }

  #send(name, message) {
    return this.open && this.channels[name].isOpen() && this.channels[name].sendMessage(JSON.stringify(message));
  }

  async #answered(sdp) {
    const { connection } = this;
    const description = await this.told.through(sdp);
    if (this.connection === connection) connection.setRemoteDescription(description, "answer");
  }

  #candidates(candidates) {
    for (const { candidate, sdp_mid } of candidates)
      if (candidate) this.connection.addRemoteCandidate(candidate, sdp_mid ?? "0");
  }

  #control(data) {
    const text = typeof data === "string" ? data : inflateRawSync(bytesOf(data)).toString();
    const message = JSON.parse(text);
    if (message.type === "relay.roster") {
      if (message.full) this.members.clear();
      for (const index of message.left ?? []) this.members.delete(index);
      for (const { index, peer_id } of message.members ?? []) this.members.set(index, peer_id);
    }
    this.told.heard(message, data.length ?? data.byteLength);
  }

  #drop() {
    clearTimeout(this.timer);
    this.open = false;
    this.link = null;
    this.members.clear();
    this.connection?.close();
    this.connection = null;
  }
}

function bytesOf(data) {
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}
