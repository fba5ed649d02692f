/** What was acknowledged, held against the log. Pure. */

/**
 * `acked` are `{ client, seq, revision }` as clients were told; `commits` the whole log. Lost is what is not in the log, or
 * not where it was said to be; applied twice what is there at two revisions.
 */
export function audit(acked, commits) {
  const found = new Map();
  for (const { client, seq, revision } of commits) {
    const key = `${client}/${seq}`;
    found.set(key, [...(found.get(key) ?? []), revision]);
  }
  const revisions = commits.map(({ revision }) => revision).sort((a, b) => a - b);
  return {
    acknowledged: acked.length,
    acknowledged_lost: acked.filter(({ client, seq, revision }) => !found.get(`${client}/${seq}`)?.includes(revision))
      .length,
    applied_twice: [...found.values()].filter((at) => at.length > 1).length,
    log_gaps: revisions.filter((revision, at) => at > 0 && revision !== revisions[at - 1] + 1).length,
  };
}
