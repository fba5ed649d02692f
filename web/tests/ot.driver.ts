/**
 * The algebra behind a pipe: a JSON line in, a JSON line out. tests/unit/ot/test_differential.py drives it beside the
 * Python one. States live here, by name.
 */

import { createHash } from "node:crypto";
import { createInterface } from "node:readline";
import { applyAll } from "../src/ot/apply";
import { canonical, canonicalState } from "../src/ot/canonical";
import { compose } from "../src/ot/compose";
import { invert } from "../src/ot/invert";
import type { Entity, Json } from "../src/ot/state";
import { rebase } from "../src/ot/transform";
import { InvalidOperation, validate } from "../src/ot/validate";
import type { Operation } from "../src/wire/generated";

type Ask =
  | { ask: "apply"; state: string; operations: Operation[] }
  | { ask: "copy"; state: string; to: string }
  | {
      ask: "rebase";
      operations: (Operation | null)[];
      other: Operation[];
      revision: number;
      foreign: boolean;
    }
  | { ask: "compose"; first: Operation[]; second: Operation[] }
  | { ask: "invert"; state: string; operations: Operation[]; guard: number | null }
  | { ask: "validate"; operations: Operation[]; client: string }
  | { ask: "canonical"; value: Json };

const states = new Map<string, Map<string, Entity>>();

function stateOf(name: string): Map<string, Entity> {
  const found = states.get(name) ?? new Map<string, Entity>();
  states.set(name, found);
  return found;
}

function answer(asked: Ask): unknown {
  switch (asked.ask) {
    case "apply": {
      const state = stateOf(asked.state);
      const skipped = Object.fromEntries(applyAll(state, asked.operations));
      return { skipped, hash: createHash("sha256").update(canonicalState(state)).digest("hex") };
    }
    case "copy":
      states.set(asked.to, new Map(stateOf(asked.state)));
      return {};
    case "rebase": {
      const { operations, met, dropped } = rebase(
        asked.operations,
        asked.other,
        asked.revision,
        asked.foreign,
      );
      return { operations, met, dropped: Object.fromEntries(dropped) };
    }
    case "compose":
      return { operations: compose(asked.first, asked.second) };
    case "invert":
      return { operations: invert(asked.operations, stateOf(asked.state), asked.guard) };
    case "validate":
      try {
        return { operations: validate(asked.operations, asked.client) };
      } catch (thrown) {
        if (thrown instanceof InvalidOperation) return { refused: [thrown.index, thrown.reason] };
        throw thrown;
      }
    case "canonical":
      return { text: canonical(asked.value) };
    default:
      return asked satisfies never;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(answer(JSON.parse(line) as Ask))}\n`);
}
