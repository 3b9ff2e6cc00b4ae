import { type Evidence, entriesOf, recordId } from '../evidence.js';

/**
 * Records that were confirmed and that the group which takes them in batches never handled: those that waited for a batch to
 * become full, when no more came, included.
 */
export function findBatchLosses(evidence: Evidence): string[] {
  const known = new Set(entriesOf(evidence, 'record-batched').map(recordId));
  return entriesOf(evidence, 'record-confirmed')
    .filter((record) => !known.has(recordId(record)))
    .map(
      (record) => `record ${recordId(record)} was confirmed at ${record.partition}@${record.offset} and in no batch`,
    );
}
