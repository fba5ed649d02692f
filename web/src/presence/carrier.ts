/**
 * Keeps a page in a room over WebSockets: ticket, connect, enter; and again whenever that breaks.
 *
 * The table of `states` decides; this file performs. The same peer resumes every time (the ticket names the tab), so
 * the others see nobody leave. Only the newest own state is ever owed to the room, so a reconnect loses nothing.
 */

import {
  type ClientMessage,
  LIMITS,
  type PresenceState,
  type RoomState,
  type ServerMessage,
  type Ticket,
} from "../wire/generated";
import { backoffMs } from "./backoff";
import { Link } from "./link";
import { Outbox } from "./outbox";
import { type Ports, problemOf } from "./ports";
import { type Event, next, STEPS, type State, type Step } from "./states";
import { verdictOf } from "./verdict";

/** Before the 2 h limit, and never all pages of a room at once. */
const RENEW_AFTER_MS = (LIMITS.WS_LIFETIME_S - 600) * 1000;
const RENEW_SPREAD_MS = 300_000;
const OFFLINE_RETRY_MS = 15_000;
const HANDSHAKES_BEFORE_JOIN = 1;

export interface Over {
  kind: "left" | "removed" | "ended" | "refused";
  code: string;
  message: string;
}

export interface CarrierEvents {
  /** Every change; `over` only in that state. */
  onState(state: State, over: Over | null): void;
  onEntered(room: RoomState): void;
  onMessage(message: ServerMessage): void;
}

export class Carrier {
  state: State = "idle";
  over: Over | null = null;
  failures = 0;
  /** When the next attempt comes, while waiting. */
  retryAtMs = 0;
  readonly outbox: Outbox;
  private serving: Link | null = null;
  private attempt = 0;
  private pending: Link | null = null;
  private handshakesLost = 0;
  private cancelRetry: () => void = nothing;
  private cancelRenew: () => void = nothing;
  private cancelFlush: () => void = nothing;
  private mustJoin = false;
  private userId = "";
  private peerId = "";

  constructor(
    private readonly ports: Ports,
    private readonly epoch: number,
    private readonly events: CarrierEvents,
  ) {
    this.outbox = new Outbox(epoch);
  }

  get rttMs(): number | null {
    return this.serving?.rttMs ?? null;
  }

  start(): void {
    this.move("start");
  }

  /** Leaves at once, on purpose. */
  stop(): void {
    this.serving?.send({ type: "room.leave" });
    this.move("stop", { kind: "left", code: "", message: "" });
  }

  online(): void {
    this.move("online");
  }

  offline(): void {
    this.move("offline");
  }

  /** Tries now instead of after the pause. */
  retryNow(): void {
    this.move("retry");
  }

  /** Opens the next connection before the serving one is too old. */
  renew(): void {
    this.move("renew");
  }

  /** The newest of one's own state; goes out when it may. */
  offer(state: PresenceState): void {
    this.outbox.offer(state);
    this.flush();
  }

  /** The own state goes out so often at most: seldom while channels carry it to everybody. */
  pace(intervalMs: number): void {
    this.outbox.pace(intervalMs);
    this.flush();
  }

  /** Sends on the serving connection; false where there is none, or it is over. */
  send(message: ClientMessage): boolean {
    return this.serving?.send(message) ?? false;
  }

  private move(event: Event, over: Over | null = null): void {
    const from = this.state;
    const to = next(from, event);
    if (to === from) return;
    this.state = to;
    this.over = to === "over" ? over : null;
    this.cancelRetry();
    this.cancelRetry = nothing;
    const continues = from === "renewing" && event === "dropped";
    if ((to === "connecting" && !continues) || to === "renewing") void this.connect();
    if (to === "waiting") this.wait();
    if (to === "offline") this.goOffline();
    if (to === "over") this.abandon(1000);
    this.events.onState(to, this.over);
  }

  // -- one attempt --

  private async connect(): Promise<void> {
    this.attempt += 1;
    const attempt = this.attempt;
    this.pending?.close(4000);
    this.pending = null;
    let step: Step = this.mustJoin ? "joining" : "ticketing";
    let rejoined = false;
    let ticket: Ticket | null = null;
    while (step !== "done") {
      try {
        if (step === "joining") await this.ports.join();
        if (step === "ticketing") ticket = await this.ports.ticket();
        if (attempt !== this.attempt) return;
        if (step === "entering" && ticket) await this.enter(ticket, attempt);
        step = STEPS[step].done;
      } catch (thrown) {
        if (attempt !== this.attempt) return;
        const { code, message, retryAfterMs } = problemOf(thrown);
        const verdict = verdictOf(code);
        if (verdict === "unseated" && !rejoined) {
          rejoined = true;
          step = STEPS[step].unseated;
          continue;
        }
        this.failed(code, message, retryAfterMs, verdict === "refused");
        return;
      }
    }
  }

  private async enter(ticket: Ticket, attempt: number): Promise<void> {
    const early: ServerMessage[] = [];
    let entered = false;
    const link = new Link(this.ports, this.epoch, {
      onMessage: (message) => (entered ? this.receive(link, message) : early.push(message)),
      onEnd: () => this.ended(link),
    });
    this.pending = link;
    const room = await link.open(withTicket(ticket));
    if (attempt !== this.attempt) return;
    if (link.over) throw { code: "handshake" };
    entered = true;
    this.pending = null;
    const old = this.serving;
    this.serving = link;
    old?.close();
    this.serve(room);
    for (const message of early) this.receive(link, message);
  }

  private serve(room: RoomState): void {
    this.failures = 0;
    this.handshakesLost = 0;
    this.mustJoin = false;
    this.userId = room.you.user_id;
    this.peerId = room.you.peer_id;
    this.outbox.reset();
    this.cancelRenew();
    this.cancelRenew = this.ports.after(RENEW_AFTER_MS - this.ports.random() * RENEW_SPREAD_MS, () =>
      this.renew(),
    );
    this.move("entered");
    this.events.onEntered(room);
    this.flush();
  }

  private failed(code: string, message: string, retryAfterMs: number, refused: boolean): void {
    if (code === "handshake" || code === "timeout") this.handshakesLost += 1;
    this.mustJoin = this.handshakesLost > HANDSHAKES_BEFORE_JOIN;
    if (refused) {
      this.move("refused", { kind: code === "session.ended" ? "ended" : "refused", code, message });
      return;
    }
    this.failures += 1;
    this.retryAtMs = this.ports.now() + backoffMs(this.failures, this.ports.random(), retryAfterMs);
    const renewing = this.state === "renewing";
    this.move("failed");
    if (renewing) this.cancelRenew = this.ports.after(60_000, () => this.renew());
  }

  // -- while it serves --

  private receive(link: Link, message: ServerMessage): void {
    if (link !== this.serving) return;
    if (message.type === "presence.frame") {
      for (const state of message.states ?? []) {
        if (state.peer_id === this.peerId) this.outbox.echoed(state.epoch, state.counter, this.ports.now());
      }
      this.flush();
    }
    this.events.onMessage(message);
    if (message.type === "error") this.refused(message.code, message.message, message.retry_after_ms ?? 0);
    if (message.type === "session.ended") {
      this.move("refused", { kind: "ended", code: "session.ended", message: "" });
    }
    if (message.type === "participant.removed" && message.user_id === this.userId) {
      const code = message.banned ? "participant.banned" : "participant.removed";
      this.move("refused", { kind: "removed", code, message: "" });
    }
  }

  private refused(code: string, message: string, retryAfterMs: number): void {
    if (code === "rate.limited") this.outbox.pause(this.ports.now() + Math.max(retryAfterMs, 200));
    const verdict = verdictOf(code);
    if (verdict === "unseated") {
      this.mustJoin = true;
      this.move("unseated");
    }
    if (verdict === "refused" && code !== "role.insufficient") {
      this.move("refused", { kind: code === "session.ended" ? "ended" : "refused", code, message });
    }
  }

  private ended(link: Link): void {
    if (link !== this.serving) return;
    this.serving = null;
    this.cancelRenew();
    this.retryAtMs = this.ports.now() + backoffMs(0, this.ports.random());
    this.move("dropped");
  }

  private flush(): void {
    this.cancelFlush();
    this.cancelFlush = nothing;
    if (!this.serving) return;
    const update = this.outbox.poll(this.ports.now());
    if (update) this.serving.send(update);
    const at = this.outbox.wakeAt();
    if (at !== null)
      this.cancelFlush = this.ports.after(Math.max(1, at - this.ports.now()), () => this.flush());
  }

  // -- while it does not --

  private wait(): void {
    this.cancelRetry = this.ports.after(Math.max(0, this.retryAtMs - this.ports.now()), () =>
      this.move("retry"),
    );
  }

  private goOffline(): void {
    this.abandon(4000);
    this.retryAtMs = this.ports.now() + OFFLINE_RETRY_MS;
    this.cancelRetry = this.ports.after(OFFLINE_RETRY_MS, () => this.move("retry"));
  }

  /** Forgets every connection; a close by 1000 is a leave, any other may resume. */
  private abandon(code: number): void {
    this.attempt += 1;
    this.cancelFlush();
    this.cancelRenew();
    const links = [this.pending, this.serving];
    this.pending = null;
    this.serving = null;
    for (const link of links) link?.close(code);
  }
}

function withTicket(ticket: Ticket): string {
  const mark = ticket.url.includes("?") ? "&" : "?";
  return `${ticket.url}${mark}ticket=${encodeURIComponent(ticket.ticket)}`;
}

function nothing(): void {}
