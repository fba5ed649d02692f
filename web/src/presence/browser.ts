/** The browser's side of the presence engine: WebSockets, and timers that a hidden tab does not slow down. */

import type { Api } from "../wire/api";
import type { JoinBody } from "../wire/generated";
import type { Ports, SocketLike } from "./ports";

/** Addresses that begin with `/` belong to the page's own origin; the scheme is the socket's. */
export function socketAddress(url: string, page: string): string {
  const address = new URL(url, page);
  address.protocol = address.protocol.replace("http", "ws");
  return address.href;
}

/** What the page's WebSockets carried so far: characters, which are bytes where all is ASCII. */
export class Traffic {
  sentBytes = 0;
  receivedBytes = 0;

  /** The same socket, counted. */
  count(socket: WebSocket): WebSocket {
    const send = socket.send.bind(socket);
    socket.send = (data) => {
      if (typeof data === "string") this.sentBytes += data.length;
      send(data);
    };
    socket.addEventListener("message", ({ data }) => {
      if (typeof data === "string") this.receivedBytes += data.length;
    });
    return socket;
  }
}

export class Timers {
  private readonly calls = new Map<number, () => void>();
  private readonly worker: Worker | null;
  private ids = 0;

  constructor() {
    this.worker = startWorker();
    if (this.worker) this.worker.onmessage = ({ data }) => this.ring(Number(data));
  }

  after(ms: number, call: () => void): () => void {
    this.ids += 1;
    const id = this.ids;
    this.calls.set(id, call);
    if (this.worker) this.worker.postMessage({ id, ms });
    else setTimeout(() => this.ring(id), ms);
    return () => this.calls.delete(id);
  }

  dispose(): void {
    this.calls.clear();
    this.worker?.terminate();
  }

  private ring(id: number): void {
    const call = this.calls.get(id);
    this.calls.delete(id);
    call?.();
  }
}

function startWorker(): Worker | null {
  try {
    return new Worker(new URL("./timers.worker.ts", import.meta.url), { type: "module" });
  } catch {
    return null;
  }
}

export function browserPorts(
  api: Api,
  sessionId: string,
  tabId: string,
  join: () => JoinBody,
  timers: Timers,
  traffic: Traffic,
): Ports {
  return {
    now: () => Date.now(),
    random: () => Math.random(),
    after: (ms, call) => timers.after(ms, call),
    socket: (url) => traffic.count(new WebSocket(socketAddress(url, location.href))) as SocketLike,
    ticket: () => api.ticket({ session_id: sessionId, tab_id: tabId }),
    join: () => api.join(sessionId, join()),
  };
}
