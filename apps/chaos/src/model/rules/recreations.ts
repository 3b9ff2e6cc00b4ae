import { type Evidence, entriesOf } from '../evidence.js';

/**
 * Records of a topic that is deleted and declared again now and then. What was in it before is gone. What was sent after the
 * last time, and confirmed, belongs to the new topic: the group handles all of it, from the first record.
 */
export function findRecreationLosses(evidence: Evidence): string[] {
  const handled = new Set(entriesOf(evidence, 'campaign-handled').map(({ id }) => id));
  const since = Math.max(
    ...evidence.faults.filter(({ kind }) => kind === 'recreate-topic').map(({ endedAt }) => endedAt),
    // The group begins at the end of the topic: until its first member is there, records are not for it.
    evidence.faults[0]?.beganAt ?? evidence.healedAt,
  );
  return entriesOf(evidence, 'campaign-confirmed')
    .filter(({ id, sentAt }) => sentAt > since && !handled.has(id))
    .map(({ id, offset }) => `record ${id} was confirmed at offset ${offset} of the new topic, and never handled`);
}
