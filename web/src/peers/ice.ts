/**
 * The servers that help to connect, with credentials that end: fetched anew before they do.
 *
 * A connection keeps the credentials it was made with; new ones count for new connections and restarts.
 */

import { backoffMs } from "../presence/backoff";
import type { IceServers } from "../wire/generated";
import type { RtcPorts } from "./ports";

const LEAST_MS = 5000;

export class Ice {
  private servers: IceServers | null = null;
  private failures = 0;
  private cancel: () => void = () => {};

  constructor(
    private readonly ports: Pick<RtcPorts, "now" | "random" | "after">,
    private readonly fetch: () => Promise<IceServers>,
    /** Only TURN's addresses are told to other pages. */
    public hideAddress: boolean,
    private readonly onFresh: () => void,
  ) {}

  /** Of connections to other pages; null while nothing is known. */
  get configuration(): RTCConfiguration | null {
    const { servers } = this;
    return servers && { ...configurationOf(servers), iceTransportPolicy: this.hideAddress ? "relay" : "all" };
  }

  /** Of the connection to the media node: it tells nobody a page's address. */
  get nodeConfiguration(): RTCConfiguration | null {
    return this.servers && configurationOf(this.servers);
  }

  /** No other page can be connected to: the address is hidden, and there is no TURN. */
  get nodeOnly(): boolean {
    if (!this.hideAddress || !this.servers) return false;
    return !this.servers.ice_servers.some(({ urls }) => urls.some((url) => /^turns?:/.test(url)));
  }

  take(servers: IceServers): void {
    this.servers = servers;
    this.failures = 0;
    const left = servers.expires_at_ms - this.ports.now();
    const life = Math.min(left, servers.ttl_s * 1000); // our clock may be wrong
    this.again(life * (0.6 + 0.2 * this.ports.random()));
    this.onFresh();
  }

  stop(): void {
    this.cancel();
    this.servers = null;
  }

  private again(ms: number): void {
    this.cancel();
    this.cancel = this.ports.after(Math.max(LEAST_MS, ms), () => void this.refresh());
  }

  private async refresh(): Promise<void> {
    try {
      const servers = await this.fetch();
      if (this.servers) this.take(servers);
    } catch {
      this.failures += 1;
      if (this.servers) this.again(backoffMs(this.failures, this.ports.random()));
    }
  }
}

function configurationOf({ ice_servers }: IceServers): RTCConfiguration {
  return {
    iceServers: ice_servers.map(({ urls, username, credential }) => ({
      urls: [...urls],
      ...(username ? { username } : {}),
      ...(credential ? { credential } : {}),
    })),
    iceTransportPolicy: "all",
  };
}
