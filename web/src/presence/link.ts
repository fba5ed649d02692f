/**
 * One WebSocket from its opening to its end: enters the room, keeps itself alive by pings, notices silence.
 *
 * The first message sent is `room.enter`; what arrives before its answer is kept in order after it. A link reports
 * its end exactly once, whoever ended it.
 */

import {
  type ClientMessage,
  LIMITS,
  PROTOCOL_VERSION,
  type RoomState,
  type ServerMessage,
} from "../wire/generated";
import { type Ports, problemOf, type SocketLike } from "./ports";

const ENTER_TIMEOUT_MS = 10_000;
const PONG_TIMEOUT_MS = 10_000;
/** A page that was busy gets its messages late: what lies in the queue is looked at before the link is given up. */
const PONG_GRACE_MS = 3000;

export interface LinkEvents {
  onMessage(message: ServerMessage): void;
  onEnd(): void;
}

export class Link {
  private rtts: number[] = [];
  private socket: SocketLike | null = null;
  private ended = false;
  private cancelTimers: (() => void)[] = [];
  private awaitingPong: (() => void) | null = null;
  private pingNumber = 0;

  constructor(
    private readonly ports: Ports,
    private readonly epoch: number,
    private readonly events: LinkEvents,
  ) {}

  /** Opens, enters, and resolves with the room; rejects with `{code}` where the room refuses or nothing answers. */
  open(url: string): Promise<RoomState> {
    return new Promise((resolve, reject) => {
      const fail = (code: string, message = ""): void => {
        reject({ code, message });
        this.close();
      };
      const cancel = this.ports.after(ENTER_TIMEOUT_MS, () => fail("timeout"));
      this.cancelTimers.push(cancel);
      let socket: SocketLike;
      try {
        socket = this.ports.socket(url);
      } catch (thrown) {
        fail(problemOf(thrown).code);
        return;
      }
      this.socket = socket;
      socket.onopen = () => {
        this.send({ type: "room.enter", id: "enter", protocol: PROTOCOL_VERSION, epoch: this.epoch });
      };
      socket.onclose = () => {
        reject({ code: "handshake", message: "" });
        this.end();
      };
      socket.onmessage = ({ data }) => {
        const message = parse(data);
        if (!message) return;
        if (message.type === "room.state") {
          cancel();
          resolve(message);
          this.keepAlive();
        }
        if (message.type === "error" && message.id === "enter") fail(message.code, message.message);
        this.receive(message);
      };
    });
  }

  /** The least of the last three: the way there and back, not how busy the page was meanwhile. */
  get rttMs(): number | null {
    return this.rtts.length > 0 ? Math.min(...this.rtts) : null;
  }

  get over(): boolean {
    return this.ended;
  }

  /** False where the link is over. */
  send(message: ClientMessage): boolean {
    if (this.ended || !this.socket) return false;
    try {
      this.socket.send(JSON.stringify(message));
      return true;
    } catch {
      return false;
    }
  }

  /** Ends it from here; 1000 tells the server that we will not resume. */
  close(code = 1000): void {
    const socket = this.socket;
    this.end();
    if (!socket) return;
    socket.onmessage = null;
    socket.onopen = null;
    socket.onclose = null;
    socket.close(code);
  }

  private receive(message: ServerMessage): void {
    if (message.type === "pong") {
      this.rtts = [...this.rtts.slice(-2), Math.max(0, this.ports.now() - message.at_ms)];
      this.awaitingPong?.();
      this.awaitingPong = null;
    }
    if (!this.ended) this.events.onMessage(message);
  }

  private keepAlive(): void {
    if (this.ended) return;
    this.pingNumber += 1;
    this.send({ type: "ping", id: `ping-${this.pingNumber}`, at_ms: this.ports.now() });
    this.expectPong();
    this.cancelTimers = [
      () => this.awaitingPong?.(),
      this.ports.after(LIMITS.PING_INTERVAL_S * 1000, () => this.keepAlive()),
    ];
  }

  private expectPong(): void {
    this.awaitingPong?.();
    this.awaitingPong = this.ports.after(PONG_TIMEOUT_MS, () => {
      this.awaitingPong = this.ports.after(PONG_GRACE_MS, () => this.close(4000));
    });
  }

  private end(): void {
    if (this.ended) return;
    this.ended = true;
    for (const cancel of this.cancelTimers) cancel();
    this.events.onEnd();
  }
}

function parse(data: unknown): ServerMessage | null {
  if (typeof data !== "string") return null;
  try {
    const value: unknown = JSON.parse(data);
    const isMessage = typeof value === "object" && value !== null && "type" in value;
    return isMessage ? (value as ServerMessage) : null;
  } catch {
    return null;
  }
}
