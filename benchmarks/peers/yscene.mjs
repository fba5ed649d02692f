/** The scene as Yjs keeps it: a map of maps, vectors as values. */

import * as Y from "yjs";
import { ENTITIES, idOf, propsOf } from "./scene.mjs";

/** Puts the scene into a document. */
export function fill(doc, count = ENTITIES) {
  doc.transact(() => {
    const entities = doc.getMap("entities");
    for (let number = 0; number < count; number += 1) {
      entities.set(idOf(number), new Y.Map(Object.entries(propsOf(number))));
    }
  });
  return doc;
}

/** One entity. */
export const entityOf = (doc, id) => doc.getMap("entities").get(id);
