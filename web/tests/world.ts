/** Hand-written fakes for the presence engine: a clock that is turned by hand, sockets and a service that obey. */

import type { Ports, SocketLike } from "../src/presence/ports";
import type { Peer, RoomState, ServerMessage, Session } from "../src/wire/generated";

export class FakeSocket implements SocketLike {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  sent: { type: string; [key: string]: unknown }[] = [];
  closedWith: number | null = null;

  constructor(readonly url: string) {}

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(code = 1005): void {
    this.closedWith = code;
  }

  tell(message: ServerMessage): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  /** Opens, and answers room.enter. */
  welcome(): void {
    this.onopen?.();
    this.tell(roomState());
  }

  drop(code = 1006): void {
    this.onclose?.({ code });
  }

  updates(): number[] {
    return this.sent.filter(({ type }) => type === "presence.update").map(({ counter }) => Number(counter));
  }
}

export class FakeWorld implements Ports {
  at = 1_000_000;
  chance = 0.5;
  sockets: FakeSocket[] = [];
  joins = 0;
  tickets = 0;
  ticketProblem: object | null = null;
  joinProblem: object | null = null;
  private timers: { at: number; call: () => void }[] = [];

  now(): number {
    return this.at;
  }

  random(): number {
    return this.chance;
  }

  after(ms: number, call: () => void): () => void {
    const timer = { at: this.at + ms, call };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  socket(url: string): FakeSocket {
    const socket = new FakeSocket(url);
    this.sockets.push(socket);
    return socket;
  }

  async ticket() {
    this.tickets += 1;
    if (this.ticketProblem) throw this.ticketProblem;
    return {
      ticket: `t/${this.tickets}`,
      url: "/ws",
      peer_id: "gst_me.tab00000",
      expires_at_ms: this.at + 30_000,
    };
  }

  async join() {
    this.joins += 1;
    if (this.joinProblem) throw this.joinProblem;
    this.ticketProblem = null;
    return {};
  }

  get last(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error("no socket was opened");
    return socket;
  }

  /** Turns the clock, ringing every timer on the way, and lets promises settle. */
  async pass(ms: number): Promise<void> {
    const end = this.at + ms;
    for (;;) {
      await settle();
      const due = this.timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.timers = this.timers.filter((timer) => timer !== due);
      this.at = Math.max(this.at, due.at);
      due.call();
    }
    this.at = end;
    await settle();
  }
}

export async function settle(): Promise<void> {
  for (let n = 0; n < 20; n++) await Promise.resolve();
}

export function peer(peerId: string, more: Partial<Peer> = {}): Peer {
  const [userId = ""] = peerId.split(".");
  return {
    peer_id: peerId,
    user_id: userId,
    name: userId,
    color: "#6e56cf",
    role: "editor",
    kind: "guest",
    joined_at_ms: 1,
    ...more,
  };
}

export function session(more: Partial<Session> = {}): Session {
  return {
    session_id: "ses_aaaaaaaaaaaaaaaaaaaa",
    name: "Room",
    description: "",
    visibility: "link",
    status: "active",
    max_participants: 50,
    participant_count: 1,
    settings: {},
    owner_id: "gst_me",
    created_at_ms: 1,
    updated_at_ms: 1,
    version: 1,
    ...more,
  };
}

export function roomState(): RoomState {
  return {
    type: "room.state",
    id: "enter",
    session: session(),
    you: peer("gst_me.tab00000"),
    server_time_ms: 1,
    presence_hz: 5,
    ping_interval_s: 20,
  };
}
