/**
 * Whether this page is in voice, and what the server says of the room's: joined, joined again, left.
 *
 * Laws: of two states the greater revision counts, whichever way it came; what the person wants is what is sent last, one call at a time; who is in
 * voice stays in it through a reconnect, a reload of the server's rows, or a removal that was not meant (the state no longer names this page),
 * until they leave or are refused.
 */

import { backoffMs } from "../presence/backoff";
import { problemOf } from "../presence/ports";
import { verdictOf } from "../presence/verdict";
import type { ChannelId, Code, Peer, VoicePerson, VoiceState } from "../wire/generated";
import type { VoicePorts } from "./ports";
import type { VoiceStatus } from "./types";

/** What no further try changes. */
const REFUSED: ReadonlySet<string> = new Set<Code>([
  "voice.removed",
  "voice.full",
  "voice.channel_unknown",
  "voice.channel_full",
]);
const ATTEMPTS_MAX = 6;
/** A page that a state no longer names joins again so soon: the state may have been on its way. */
const AGAIN_MS = 1500;
const REREAD_SPREAD_MS = 2000;

interface Stay {
  readonly channelId: ChannelId | null;
  readonly listening: boolean;
}

type Ports = Pick<VoicePorts, "random" | "after" | "routes" | "me">;

export class Membership {
  state: VoiceState | null = null;
  status: VoiceStatus = { kind: "out" };
  private wanted: Stay | null = null;
  private told: Stay | null = null;
  /** The state's revision when this page joined. */
  private since = 0;
  private failures = 0;
  private busy = false;
  private over = false;
  private rereads = false;
  private cancel: () => void = () => {};
  private waiting: { resolve: () => void; reject: (thrown: unknown) => void }[] = [];

  constructor(
    private readonly ports: Ports,
    private readonly onChange: () => void,
  ) {}

  get joined(): boolean {
    return this.status.kind === "joined";
  }

  /** This page's person, as the state has them. */
  get self(): VoicePerson | null {
    const me = this.ports.me();
    return this.state?.people.find(({ user_id }) => user_id === me?.user_id) ?? null;
  }

  /** Comes in, or is put elsewhere; resolves once that is so. Rejects where it is refused. */
  join(channelId: ChannelId | null, listening: boolean): Promise<void> {
    this.wanted = { channelId, listening };
    this.told = null;
    this.failures = 0;
    if (!this.joined) this.status = { kind: "joining" };
    return this.settled();
  }

  /** Whether a voice comes from here is another now. */
  listen(listening: boolean): void {
    if (!this.wanted || this.wanted.listening === listening) return;
    this.wanted = { channelId: null, listening };
    this.sync();
  }

  leave(): Promise<void> {
    this.wanted = null;
    this.failures = 0;
    this.status = { kind: "out" };
    return this.settled();
  }

  /** The room was entered (again): the rows there may be new. */
  entered(): void {
    this.told = null;
    this.since = 0;
    this.failures = 0;
    if (this.wanted) this.sync();
    else void this.read();
  }

  /** The whole state, whichever way it came. */
  learn(state: VoiceState): void {
    if (this.state && state.revision < this.state.revision) return;
    this.state = state;
    if (this.told && !this.busy && state.revision > this.since && this.ports.me() && !this.isThere())
      this.missed();
    this.onChange();
  }

  /** Something changed, and the state was too much for a message: it is read, by all pages of a large room at different moments. */
  reread(): void {
    if (this.rereads || this.over) return;
    this.rereads = true;
    this.ports.after(REREAD_SPREAD_MS * this.ports.random(), () => {
      this.rereads = false; // what changes from now on may not be in what is read
      if (!this.over) void this.read();
    });
  }

  /** No more calls: the room is over for this page. */
  stop(): void {
    this.over = true;
    this.wanted = null;
    this.cancel();
  }

  private async read(): Promise<void> {
    try {
      this.learn(await this.ports.routes.state());
      if (!this.wanted) this.sync(); // a page that was loaded anew is not in voice any more, whatever is left of it there
    } catch {
      // The next change tells it; whoever joins is told, too.
    }
  }

  private missed(): void {
    this.told = null;
    this.status = { kind: "joining" };
    this.later(AGAIN_MS);
  }

  private settled(): Promise<void> {
    const promise = new Promise<void>((resolve, reject) => this.waiting.push({ resolve, reject }));
    this.sync();
    this.onChange();
    return promise;
  }

  private sync(): void {
    if (this.busy || this.over) return;
    this.cancel();
    const { wanted, told } = this;
    if (wanted ? told !== null && told.listening === wanted.listening : told === null && !this.isThere()) {
      for (const { resolve } of this.waiting.splice(0)) resolve();
      return;
    }
    this.busy = true;
    void this.call(wanted).finally(() => {
      this.busy = false;
      if (this.failures === 0) this.sync();
      this.onChange();
    });
  }

  /** The server has this page in voice. */
  private isThere(): boolean {
    const me = this.ports.me();
    return me !== null && (this.self?.peers.includes(me.peer_id) ?? false);
  }

  private async call(wanted: Stay | null): Promise<void> {
    try {
      if (wanted) await this.enter(wanted);
      else await this.exit();
      this.failures = 0;
    } catch (thrown) {
      this.failed(wanted, thrown);
    }
  }

  private async enter(wanted: Stay): Promise<void> {
    const { voice } = await this.ports.routes.join(wanted.channelId, wanted.listening);
    this.since = voice.revision;
    this.told = wanted;
    if (this.wanted === wanted) this.wanted = this.told = { ...wanted, channelId: null };
    if (this.wanted) this.status = { kind: "joined" };
    this.learn(voice);
  }

  private async exit(): Promise<void> {
    await this.ports.routes.leave();
    this.told = null;
    const me = this.ports.me();
    if (this.state && me) this.state = without(this.state, me);
  }

  private failed(wanted: Stay | null, thrown: unknown): void {
    const { code, message, retryAfterMs } = problemOf(thrown);
    this.failures += 1;
    const final = REFUSED.has(code) || verdictOf(code) !== "retry" || this.failures >= ATTEMPTS_MAX;
    if (!final && !this.over) {
      this.later(backoffMs(this.failures, this.ports.random(), retryAfterMs));
      return;
    }
    this.told = null;
    if (wanted !== null && this.wanted === wanted) {
      this.wanted = null;
      this.status = { kind: "failed", code, text: message || "Voice cannot be joined now." };
    }
    for (const { reject, resolve } of this.waiting.splice(0)) wanted ? reject(thrown) : resolve();
  }

  private later(ms: number): void {
    this.cancel();
    this.cancel = this.ports.after(ms, () => this.sync());
  }
}

/** The state without a page that has just left; the next one says so too. */
function without(state: VoiceState, { user_id, peer_id }: Peer): VoiceState {
  const people = state.people
    .map((one) =>
      one.user_id === user_id ? { ...one, peers: one.peers.filter((id) => id !== peer_id) } : one,
    )
    .filter(({ peers }) => peers.length > 0);
  return { ...state, people };
}
