/** A media node, as pages see it. */

import type { ClientMessage, ServerMessage } from "../src/wire/generated";
import { FakeConnection } from "./fakeconnection";
import type { Page, Town } from "./peersworld";

/** A media node: answers whoever offers, lists them, and says where the seventh is. */
export class FakeNode {
  readonly links = new Map<string, { connection: FakeConnection; link: string; heard: string[] }>();
  dead = false;
  silent = false;
  listing = true;
  /** What it says with its pongs. */
  loss: unknown = undefined;
  kbps: unknown = undefined;

  constructor(
    readonly town: Town,
    readonly id: string,
  ) {}

  async receive(from: Page, message: ClientMessage): Promise<void> {
    if (this.dead || !("to" in message) || message.to !== this.id) return;
    const { type, link } = message;
    const known = this.links.get(from.id);
    if (type === "peer.bye" && known?.link === link) {
      known.connection.close();
      this.links.delete(from.id);
    }
    if (type !== "peer.offer") return;
    known?.connection.close();
    const connection = new FakeConnection(this.town.air, this.id, {});
    const heard: string[] = [];
    this.links.set(from.id, { connection, link, heard });
    for (const label of ["presence", "control"]) {
      const channel = connection.createDataChannel(label);
      channel.onmessage = ({ data }) => {
        if (label === "presence") heard.push(String(data));
        else this.controlled(from, String(data));
      };
      channel.onopen = () => label === "control" && this.listing && this.list(from);
    }
    connection.heardUfrags.add(/ufrag:(\S+)/.exec(message.sdp)?.[1] ?? "");
    await connection.setRemoteDescription({ type: "offer", sdp: message.sdp });
    for (const audio of connection.transceivers.slice(1)) audio.direction = "sendonly";
    await connection.setLocalDescription();
    const sdp = connection.localDescription?.sdp ?? "";
    from.plane.receive({ type: "peer.answer", to: from.id, link, sdp, from: this.id });
  }

  list(page: Page): void {
    const member = { index: 7, peer_id: "gst_far.ffffffff", epoch: 5 };
    this.tell(page, { type: "relay.roster", full: true, members: [member], left: [], tick_hz: 20 });
  }

  tell(page: Page, message: ServerMessage): void {
    this.links.get(page.id)?.connection.carry("control", JSON.stringify(message));
  }

  bytes(page: Page, label: string, data: Uint8Array): void {
    const buffer = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
    this.links.get(page.id)?.connection.carry(label, buffer as unknown as string);
  }

  die(): void {
    this.dead = true;
    for (const page of this.links.keys()) this.town.air.break(page, this.id);
  }

  private controlled(from: Page, text: string): void {
    const message = JSON.parse(text);
    if (this.silent) return;
    if (message.type === "ping") {
      const { loss, kbps: available_kbps } = this;
      this.tell(from, { ...message, type: "pong", server_time_ms: 1, loss, available_kbps });
    } else this.links.get(from.id)?.heard.push(text);
  }
}
