/**
 * A document's client as light as its protocol allows, on any carrier: it keeps the revision and not the scene. Like the
 * page's it has one transaction in flight and composes what waits.
 *
 * `say(message)` sends. A transaction is acknowledged by `op.ack` or, `byCommit`, by being in an `op.committed`: on the
 * relay nothing else tells it.
 */

const GAP_MS = 500;
const ANSWER_MS = 4000; // after which it is sent again (web/src/sync/delivery.ts)

export function documentOf({ document_id, revision, submit_every_ms }, index, events, { say, byCommit = false }) {
  let everyMs = submit_every_ms;
  const name = `bench${String(index).padStart(3, "0")}`;
  const early = new Map();
  let seq = 1;
  let flying = null;
  let landedAt = 0;
  let waiting = null;
  let lastMs = 0;
  let timer = null;
  let fetching = false;
  let doubt = null;

  const submit = () => {
    clearTimeout(doubt);
    doubt = setTimeout(() => flying && submit(), ANSWER_MS);
    const operations = [...flying.positions].map(([id, value]) => ({
      op: "set",
      id: `scene001.${id}`,
      path: ["position"],
      value,
    }));
    say({ type: "op.submit", id: `${seq}`, document_id, client: name, seq, base: flying.base, operations });
  };
  const send = () => {
    if (flying || !waiting || revision < landedAt) return; // a transaction is made on one's own last one
    const dueMs = lastMs + everyMs - performance.now();
    if (dueMs > 0) {
      timer ??= setTimeout(() => {
        timer = null;
        send();
      }, dueMs);
      return;
    }
    lastMs = performance.now();
    flying = Object.assign(waiting, { base: revision });
    waiting = null;
    for (const edit of flying.edits) events.sent(`${name}/${seq}`, edit);
    submit();
  };
  const landed = (answered, rejected, at = 0) => {
    if (!flying || answered !== seq) return;
    clearTimeout(doubt);
    landedAt = at;
    const { edits } = flying;
    flying = null;
    seq += 1;
    events.acked(edits, rejected, { client: name, seq: answered, revision: at });
    send();
  };
  const take = (commits, head) => {
    for (const commit of commits) if (commit.revision > revision) early.set(commit.revision, commit);
    for (let next = early.get(revision + 1); next; next = early.get(revision + 1)) {
      revision += 1;
      early.delete(revision);
      if (next.client !== name) events.seen(index, `${next.client}/${next.seq}`);
      else if (byCommit) landed(next.seq, false, revision);
    }
    if (revision < head && !fetching) {
      fetching = true;
      setTimeout(() => {
        fetching = false;
        if (revision < head) fetch();
      }, GAP_MS);
    }
  };
  const fetch = () => say({ type: "doc.fetch", document_id, since: revision });

  return {
    set(id, position, edit) {
      waiting ??= { positions: new Map(), edits: [] };
      waiting.positions.set(id, position);
      waiting.edits.push(edit);
      send();
    },
    hear(message) {
      if (message.type === "op.committed" || message.type === "doc.commits") {
        take(message.commits, message.head);
        send();
      } else if (message.type === "op.ack") landed(message.operation.seq, false, message.operation.revision);
      else if (message.type === "op.rejected") {
        process.stderr.write(`${message.code}\n`);
        landed(message.seq, true);
      } else if (message.type === "error") process.stderr.write(`${message.code}: ${message.message}\n`);
    },
    /** By another carrier from now on: what is in doubt is asked for, and sent again as it was. */
    again(submitEveryMs) {
      everyMs = submitEveryMs;
      fetch();
      if (flying) submit();
    },
    get revision() {
      return revision;
    },
    get idle() {
      return !flying && !waiting;
    },
  };
}
