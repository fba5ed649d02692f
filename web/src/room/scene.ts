/** A room's scene: joins the shared document to the carrier, to REST and to what is kept. */

import { browserKeeping } from "../sync/browser";
import { SUBMIT_EVERY_MS } from "../sync/delivery";
import { SharedDoc } from "../sync/document";
import { type Keeper, openKeeper } from "../sync/keeping";
import type { Api } from "../wire/api";
import type { ClientMessage, ServerMessage } from "../wire/generated";

/** The id of a session's scene: both end with the same 20 characters. */
export function sceneIdOf(sessionId: string): string {
  return `doc_${sessionId.slice(-20)}`;
}

/** The memory that this page has of a session's scene. Before the room, for ids are made of it. */
export function openScene(sessionId: string, userId: string): Promise<Keeper> {
  return openKeeper(browserKeeping(), sceneIdOf(sessionId), userId);
}

/** The node gathers for a few milliseconds only. */
const RELAY_SUBMIT_MS = 40;

/** What a scene needs from the room. */
export interface ScenePorts {
  api: Pick<Api, "document">;
  keeper: Keeper;
  /** False where it certainly did not go out. */
  send(message: ClientMessage): boolean;
  after(ms: number, call: () => void): () => void;
}

/** The scene of the room, as a shared document that follows the carrier. */
export class Scene {
  readonly document: SharedDoc;
  private readonly keeper: Keeper;
  private submitEveryMs = SUBMIT_EVERY_MS;

  constructor(sessionId: string, { api, keeper, send, after }: ScenePorts) {
    this.keeper = keeper;
    const documentId = sceneIdOf(sessionId);
    this.document = new SharedDoc(documentId, keeper.memory, {
      now: Date.now,
      random: Math.random,
      after,
      send,
      snapshot: () => api.document(documentId),
      save: (memory) => keeper.save(memory),
    });
  }

  /** Reads the document; follows it from the first `entered` on. */
  start(): void {
    this.document.open();
  }

  /** At every `room.state`: what was missed is read. */
  entered(): void {
    this.document.connected(this.submitEveryMs);
  }

  /** The relay carries now, or does not any more: what was on its way is in doubt, and read on. */
  relayed(open: boolean, carried: boolean): void {
    this.submitEveryMs = open ? RELAY_SUBMIT_MS : SUBMIT_EVERY_MS;
    if (open || carried) this.document.connected(this.submitEveryMs);
    else this.document.disconnected();
  }

  /** After every change of the carrier's state. */
  carried(connected: boolean): void {
    if (!connected) this.document.disconnected();
  }

  /** Whether a message was about the document; then nobody else has to look at it. */
  takes(message: ServerMessage): boolean {
    return this.document.receive(message);
  }

  /** Stops; what is not acknowledged stays kept. */
  dispose(): void {
    this.document.dispose();
    void this.keeper.close();
  }
}

/** The document's part of the live figures. */
export interface DocumentFigures {
  readonly revision: number;
  readonly unsynced: number;
  /** All of them, tombstones too. */
  readonly entities: number;
  readonly state: string;
}

/** The document's figures now. */
export function documentFigures({ document }: Scene): DocumentFigures {
  const { revision, unsynced, entities, state } = document;
  return { revision, unsynced, entities: entities.size, state };
}
