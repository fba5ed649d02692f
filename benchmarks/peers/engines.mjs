/** ot-json0 and ot-json1 as algebra.mjs asks for them: the calls that ShareDB's server makes, conflicts settled. */

import json0 from "ot-json0";
import json1 from "ot-json1";

export const engines = {
  "ot-json1": {
    state: (scene) => scene,
    set: (id, position) => json1.replaceOp([id, "position"], true, position),
    insert: (id, at, text) => json1.editOp([id, "text"], "text-unicode", [at, text]),
    transform: (mine, other) => json1.type.transformNoConflict(mine, other, "left"),
    apply: (state, mine) => json1.type.apply(state, mine),
  },
  "ot-json0": {
    state: (scene) => scene,
    set: (id, position) => [{ p: [id, "position"], od: [0, 0, 0], oi: position }],
    insert: (id, at, text) => [{ p: [id, "text"], t: "text0", o: [{ p: at, i: text }] }],
    transform: (mine, other) => json0.type.transform(mine, other, "left"),
    apply: (state, mine) => json0.type.apply(state, mine),
  },
};
