/** The scene of a room and its editing: the shared document, its history and locks, and the tools. */

import type { Api } from "../wire/api";
import type { ServerMessage } from "../wire/generated";
import { type Editing, type EditingPorts, openEditor } from "./editing";
import { RoomLocks } from "./locks";
import { Scene, type ScenePorts } from "./scene";

const EDITOR_PAGE = 50;

export interface StudioPorts extends Omit<ScenePorts, "api"> {
  api: Api;
  sessionId: string;
}

/** What a room does with its document. */
export class Studio {
  readonly scene: Scene;
  private editing: Editing | null = null;
  private locks: RoomLocks | null = null;

  constructor(private readonly ports: StudioPorts) {
    this.scene = new Scene(ports.sessionId, ports);
  }

  /** Once the world is there: reads the document, and puts the tools into the page. */
  open(room: Omit<EditingPorts, "history" | "locks">): void {
    const { api, sessionId } = this.ports;
    const { documentId } = this.scene.document;
    this.locks = new RoomLocks({
      api,
      sessionId,
      userId: () => room.you()?.user_id ?? null,
      now: Date.now,
      every: (ms, call) => {
        const timer = setInterval(call, ms);
        return () => clearInterval(timer);
      },
    });
    const history = {
      history: (before: number | null) => api.history(documentId, { before, limit: EDITOR_PAGE }),
      stateAt: (revision: number) => api.documentAt(documentId, revision),
      milestones: () => api.milestones(documentId),
      name: (name: string, revision: number) => api.createMilestone(documentId, { name, revision }),
      restore: async (revision: number) => {
        await api.rollback(documentId, { revision });
      },
    };
    this.editing = openEditor(this.scene.document, { ...room, history, locks: this.locks });
    this.scene.start();
  }

  /** At every `room.state`. */
  entered(): void {
    this.scene.entered();
    this.refresh();
  }

  /** After every change of the carrier's state. */
  carried(connected: boolean): void {
    this.scene.carried(connected);
  }

  /** The relay carries the document now, or does not any more: what was on its way may be lost. */
  relayed(open: boolean, carried: boolean): void {
    this.scene.relayed(open, carried);
  }

  /** Whether a message was about the document; then nobody else has to look at it. */
  takes(message: ServerMessage): boolean {
    return this.scene.takes(message);
  }

  /** The role, or who is there, is another. */
  refresh(): void {
    this.editing?.refresh();
  }

  dispose(): void {
    this.editing?.dispose();
    this.locks?.dispose();
    this.scene.dispose();
  }
}
