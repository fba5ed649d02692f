/** Holodeck's own algebra as the page has it, bundled by Vite for algebra.mjs. An operation here is a transaction. */

import { applyAll } from "../../web/src/ot/apply.ts";
import { NEW } from "../../web/src/ot/state.ts";
import { rebase } from "../../web/src/ot/transform.ts";

export const typescript = {
  state: (scene) => new Map(Object.entries(scene).map(([id, props]) => [id, { ...NEW, props }])),
  set: (id, position) => [{ op: "set", id, path: ["position"], value: position }],
  insert: (id, at, text) => [{ op: "text", id, path: ["text"], edit: [at, text] }],
  transform: (mine, other) => rebase(mine, other, 1, true).operations,
  apply(state, mine) {
    applyAll(state, mine);
    return state;
  },
};
