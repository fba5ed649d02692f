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
    /** Only TURN's addresses are told to others. */
    public hideAddress: boolean,
    private readonly onFresh: (configuration: RTCConfiguration) => void,
  ) {}

  /** Null while nothing is known. */
  get configuration(): RTCConfiguration | null {
    if (!this.servers) return null;
    return {
      iceServers: this.servers.ice_servers.map(({ urls, username, credential }) => ({
        urls: [...urls],
        ...(username ? { username } : {}),
        ...(credential ? { credential } : {}),
      })),
      iceTransportPolicy: this.hideAddress ? "relay" : "all",
    };
  }

  take(servers: IceServers): void {
    this.servers = servers;
    this.failures = 0;
    const left = servers.expires_at_ms - this.ports.now();
    const life = Math.min(left, servers.ttl_s * 1000); // our clock may be wrong
    this.again(life * (0.6 + 0.2 * this.ports.random()));
    if (this.configuration) this.onFresh(this.configuration);
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
