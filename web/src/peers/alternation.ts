/**
 * Which way a document's message goes while there are two. Pure.
 *
 * The relay first; what goes again, because nobody answered, goes by the other: a node may reach us and not the log. Both
 * ways lead to the same log, where (client, seq) is committed once.
 */

import type { ClientMessage } from "../wire/generated";

export class Alternation {
  private readonly last = new Map<string, { key: string; relay: boolean }>();

  /** True: by the relay. */
  choose(message: ClientMessage): boolean {
    if (message.type !== "op.submit" && message.type !== "doc.fetch") return true;
    const about = `${message.type} ${message.document_id}`;
    const key = message.type === "op.submit" ? `${message.client} ${message.seq}` : String(message.since);
    const before = this.last.get(about);
    const relay = before?.key === key ? !before.relay : true;
    this.last.set(about, { key, relay });
    return relay;
  }
}
