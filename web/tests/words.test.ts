/** What happened, in words. */

import { describe, expect, it } from "vitest";
import { addPrimitive, groupOf, reparent } from "../src/edit/actions";
import { beginningOf } from "../src/edit/kinds";
import { commitWords, overriddenWords, registerWords, rejectedWords, revertedWords } from "../src/edit/words";
import { Roster } from "../src/presence/roster";
import { Names, SOMEBODY } from "../src/room/names";
import { syncWords } from "../src/ui/editbar";
import { degreesOf, rotationFrom } from "../src/ui/properties";
import type { Operation, Participant } from "../src/wire/generated";
import { LocalDocument } from "./localdocument";
import { peer, settle } from "./world";

function boxed(): { document: LocalDocument; id: string } {
  const document = new LocalDocument();
  const id = document.newId();
  const box = beginningOf("box");
  if (!box) throw new Error();
  document.edit(addPrimitive(document.entities, id, box, [0, 0, 0], [0, 0, 0, 1]));
  return { document, id };
}

describe("a commit", () => {
  it("is told by what it did to what", () => {
    const { document, id } = boxed();
    const words = (...operations: Operation[]) => commitWords(operations, document.entities);
    expect(commitWords(document.commits[0]?.operations ?? [], document.entities)).toBe("added Box");
    expect(words({ op: "set", id, path: ["position"], value: [1, 2, 3] })).toBe("moved Box");
    expect(words({ op: "set", id, path: ["color"], value: "#112233" })).toBe("changed the colour of Box");
    expect(words({ op: "text", id, path: ["text"], edit: ["x"] })).toBe("wrote in Box");
    expect(words({ op: "delete", id })).toBe("deleted Box");
    expect(words({ op: "delete", id }, { op: "delete", id: "client00.9" })).toBe("deleted 2 objects");
    expect(words({ op: "set", id, path: ["seats"], value: 4 })).toBe("changed the seats of Box");
    expect(words({ op: "restore", id: "client00.9" })).toBe("restored something");
    expect(words()).toBe("changed nothing");
  });

  it("that groups or rearranges does not also speak of the places that follow from it", () => {
    const { document, id } = boxed();
    const group = document.newId();
    const beginning = beginningOf("group");
    if (!beginning) throw new Error();
    const operations = groupOf(document.entities, group, [id], beginning, [0, 0, 0]);
    expect(commitWords(operations, document.entities)).toBe("added Group and rearranged Box");
    document.edit(operations);
    expect(commitWords(reparent(document.entities, [id], null), document.entities)).toBe("rearranged Box");
  });
});

describe("notices", () => {
  it("name who overrode what", () => {
    const { document, id } = boxed();
    const notice = {
      kind: "overridden",
      by: "usr_ada",
      entity: id,
      register: ["color"],
      lost: null,
    } as const;
    expect(overriddenWords(notice, document.entities, "Ada")).toBe(
      "Ada changed the colour of Box after you.",
    );
    expect(registerWords(["@alive"])).toBe("whether it is there");
    expect(registerWords(["@place"])).toBe("the place in the tree");
  });

  it("of a refusal say why, and of a locked thing who has it", () => {
    const { document, id } = boxed();
    const notice = { kind: "rejected", code: "lock.held", message: "It is locked.", operations: [] } as const;
    const words = (who: string | null) => rejectedWords(notice, document.entities, who && id, who);
    expect(words("Ada")).toBe("Not saved: Ada has locked Box.");
    expect(words(null)).toBe("Not saved: It is locked.");
    const other = { ...notice, code: "role.forbidden", message: "You may look only." };
    expect(rejectedWords(other, document.entities, id, "Ada")).toBe("Not saved: You may look only.");
  });

  it("of an undo say what was left alone", () => {
    const { document, id } = boxed();
    const skipped = [{ entity: id, register: ["color"] }];
    expect(revertedWords({ done: true, entities: [], skipped: [] }, document.entities, false)).toBeNull();
    expect(revertedWords({ done: false, entities: [], skipped }, document.entities, false)).toBe(
      "Not undone: somebody has changed the colour of Box since.",
    );
    expect(
      revertedWords(
        { done: true, entities: [id], skipped: [...skipped, ...skipped] },
        document.entities,
        true,
      ),
    ).toBe("Redone, except the colour of Box and 1 other change: somebody has changed it since.");
  });

  it("of the sync state count what waits", () => {
    expect(syncWords("offline", 3)).toBe("Offline · 3 unsaved");
    expect(syncWords("offline", 0)).toBe("Offline");
    expect(syncWords("saving", 4)).toBe("Saving 4");
    expect(syncWords("synced", 0)).toBe("Saved");
  });
});

describe("degrees", () => {
  it("say the same rotation there and back", () => {
    for (const degrees of [
      [0, 0, 0],
      [30, 45, -60],
      [0, 180, 0],
      [-80, 10, 170],
    ]) {
      expect(degreesOf(rotationFrom(degrees)).map(Math.abs)).toEqual(degrees.map(Math.abs));
    }
  });
});

describe("names", () => {
  it("of who is here are known, of who left they are asked for once", async () => {
    const roster = new Roster();
    roster.apply({ type: "presence.frame", at_ms: 1, joined: [peer("usr_ada.tab00000", { name: "Ada" })] });
    let asked = 0;
    let learned = 0;
    const members = async () => {
      asked += 1;
      return { participants: [{ user_id: "usr_bob", name: "Bob" } as Participant] };
    };
    const names = new Names(roster, members, () => {
      learned += 1;
    });
    expect(names.of("usr_ada")).toBe("Ada");
    expect([names.of("usr_bob"), names.of("usr_bob")]).toEqual([SOMEBODY, SOMEBODY]);
    await settle();
    expect([names.of("usr_bob"), asked, learned]).toEqual(["Bob", 1, 1]);
  });
});
