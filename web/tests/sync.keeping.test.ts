/** What is not acknowledged outlives the page, and belongs to one page at a time. */

import { describe, expect, it } from "vitest";
import { Scene, sceneIdOf } from "../src/room/scene";
import { claimLock } from "../src/sync/browser";
import { emptyMemory, type Memory } from "../src/sync/engine";
import { type KeepingPorts, type Kept, openKeeper, type Store } from "../src/sync/keeping";
import { Desk, LAMP, set } from "./syncdesk";
import { DOCUMENT, rest } from "./syncworld";

class FakeStore implements Store {
  readonly kept = new Map<string, string>();
  writes = 0;
  broken = false;
  hold: Promise<void> | null = null;

  async list(documentId: string): Promise<Kept[]> {
    if (this.broken) throw new Error("denied");
    return [...this.kept.values()]
      .map((text): Kept => JSON.parse(text))
      .filter((one) => one.documentId === documentId);
  }

  async put(kept: Kept): Promise<void> {
    if (this.broken) throw new Error("denied");
    this.writes += 1;
    await this.hold;
    this.kept.set(kept.client, JSON.stringify(kept));
  }

  async drop(_: string, client: string): Promise<void> {
    this.kept.delete(client);
  }
}

/** A browser with tabs. */
class Browser {
  readonly store = new FakeStore();
  private readonly locks = new Map<string, object>();
  private made = 0;

  tab(hint: string | null = null): KeepingPorts & { close(): void; hinted: string | null } {
    const tab = {
      store: this.store,
      hinted: hint,
      claim: async (name: string) => {
        if (this.locks.has(name)) return null;
        this.locks.set(name, tab);
        return () => {
          this.locks.delete(name);
        };
      },
      newClient: () => {
        this.made += 1;
        return `client${String(this.made).padStart(2, "0")}`;
      },
      hint: {
        get: () => tab.hinted,
        set: (_: string, client: string) => {
          tab.hinted = client;
        },
      },
      close: () => {
        for (const [name, owner] of this.locks) if (owner === tab) this.locks.delete(name);
      },
    };
    return tab;
  }
}

const work = (memory: Memory): Memory => ({ ...memory, base: 1, buffer: [set(LAMP, 5)] });

describe("keeping", () => {
  it("gives what a closed tab left to the next one, and to one only", async () => {
    const browser = new Browser();
    const first = browser.tab();
    const keeper = await openKeeper(first, DOCUMENT, "ada");
    await keeper.save(work(keeper.memory));
    expect((await openKeeper(browser.tab(), DOCUMENT, "ada")).memory.client).not.toBe(keeper.memory.client);
    first.close();
    expect((await openKeeper(browser.tab(), "doc_other", "ada")).memory.buffer).toEqual([]);
    expect((await openKeeper(browser.tab(), DOCUMENT, "bob")).memory.buffer).toEqual([]);
    const heir = await openKeeper(browser.tab(), DOCUMENT, "ada");
    expect(heir.memory).toMatchObject({ client: keeper.memory.client, buffer: [set(LAMP, 5)] });
    expect((await openKeeper(browser.tab(), DOCUMENT, "ada")).memory.buffer).toEqual([]);
  });

  it("prefers the tab's own after a reload", async () => {
    const browser = new Browser();
    const tabs = [browser.tab(), browser.tab()];
    for (const tab of tabs) {
      const keeper = await openKeeper(tab, DOCUMENT, "ada");
      await keeper.save(work(keeper.memory));
      tab.close();
    }
    const again = await openKeeper(browser.tab(tabs[1]?.hinted ?? null), DOCUMENT, "ada");
    expect(again.memory.client).toBe(tabs[1]?.hinted);
  });

  it("drops a memory with nothing pending", async () => {
    const browser = new Browser();
    const keeper = await openKeeper(browser.tab(), DOCUMENT, "ada");
    await keeper.save(work(keeper.memory));
    expect(browser.store.kept.size).toBe(1);
    await keeper.save(emptyMemory(keeper.memory.client));
    expect(browser.store.kept.size).toBe(0);
  });

  it("resolves only when this memory or a later one is stored, and passes over those in between", async () => {
    const browser = new Browser();
    const { store } = browser;
    const keeper = await openKeeper(browser.tab(), DOCUMENT, "ada");
    let release = (): void => {};
    store.hold = new Promise((resolve) => {
      release = resolve;
    });
    const done: number[] = [];
    const saves = [1, 2, 3].map((nextSeq) =>
      keeper.save({ ...work(keeper.memory), nextSeq }).then(() => done.push(nextSeq)),
    );
    await rest();
    expect(done).toEqual([]);
    release();
    await Promise.all(saves);
    expect(store.writes).toBe(2);
    expect(JSON.parse(store.kept.get(keeper.memory.client) ?? "{}").nextSeq).toBe(3);
  });

  it("lets the same page take it again after it left the room", async () => {
    const browser = new Browser();
    const tab = browser.tab();
    const keeper = await openKeeper(tab, DOCUMENT, "ada");
    void keeper.save({ ...work(keeper.memory), buffer: [set(LAMP, 4)] });
    void keeper.save(work(keeper.memory));
    await keeper.close();
    await keeper.save(emptyMemory(keeper.memory.client));
    const again = await openKeeper(tab, DOCUMENT, "ada");
    expect(again.memory).toMatchObject({ client: keeper.memory.client, buffer: [set(LAMP, 5)] });
  });

  it("goes on without storage", async () => {
    const browser = new Browser();
    browser.store.broken = true;
    const keeper = await openKeeper(browser.tab(), DOCUMENT, "ada");
    await keeper.save(work(keeper.memory));
    expect(keeper.memory.client).toMatch(/^[a-z0-9]{8,16}$/);
  });

  it("claims nothing where there are no locks", async () => {
    expect(await claimLock(undefined, "a", 0)).toBeNull();
  });
});

describe("coming back", () => {
  it("finds that its transaction was committed, and does not send it again", async () => {
    const before = new Desk();
    before.foreign([{ op: "create", id: LAMP, props: { x: 0 } }]);
    await before.open();
    before.doc.edit([{ op: "add", id: LAMP, path: ["x"], by: 1 }]);
    await before.clock.pass(200);
    before.doc.edit([{ op: "add", id: LAMP, path: ["x"], by: 10 }]);
    before.commit();
    before.foreign([{ op: "add", id: LAMP, path: ["x"], by: 100 }]);
    before.doc.dispose();

    const after = new Desk(JSON.parse(JSON.stringify(before.saved.at(-1))));
    for (const commit of before.log.commits) after.log.commits.push(commit);
    await after.open();
    expect(after.value(LAMP)).toBe(111);
    await after.acknowledge();
    expect(after.submits).toMatchObject([{ seq: 2, base: 3, operations: [{ by: 10 }] }]);
    expect(after.log.state().get(LAMP)?.props.x).toBe(111);
    expect(after.doc.state).toBe("synced");
  });

  it("sends what was made offline before anything was ever read", async () => {
    const desk = new Desk();
    const id = desk.doc.newId();
    desk.doc.edit([{ op: "create", id }]);
    expect(desk.doc.state).toBe("loading");
    desk.foreign([{ op: "create", id: LAMP }]);
    const again = new Desk(desk.saved.at(-1));
    again.log.commits.push(...desk.log.commits);
    await again.open();
    expect([...again.doc.entities.keys()].sort()).toEqual([id, LAMP].sort());
    await again.acknowledge();
    expect(again.log.state().has(id)).toBe(true);
  });
});

describe("the scene", () => {
  it("has the session's own 20 characters", () => {
    expect(sceneIdOf("ses_0123456789abcdefghij")).toBe("doc_0123456789abcdefghij");
  });

  it("reads over REST, follows the room, and leaves other messages to others", async () => {
    const desk = new Desk();
    desk.foreign([{ op: "create", id: LAMP }]);
    const sent: unknown[] = [];
    const keeper = await openKeeper(new Browser().tab(), DOCUMENT, "ada");
    const scene = new Scene("ses_00000000000000000000", {
      api: { document: async () => desk.log.snapshot() },
      keeper,
      send: (message) => sent.push(message) > 0,
      after: (ms, call) => desk.clock.after(ms, call),
    });
    scene.start();
    await rest();
    expect(scene.document.state).toBe("offline");
    scene.entered();
    expect(sent).toMatchObject([{ type: "doc.fetch", document_id: DOCUMENT, since: 1 }]);
    const [fetch] = sent as [{ id: string }];
    const answer = { type: "doc.commits", since: 1, head: 1, commits: [], id: fetch.id } as const;
    expect(scene.takes({ ...answer, document_id: "doc_11111111111111111111" })).toBe(false);
    expect(scene.takes({ ...answer, document_id: DOCUMENT })).toBe(true);
    expect(scene.document.state).toBe("synced");
    scene.carried(false);
    expect(scene.document.state).toBe("offline");
  });
});
