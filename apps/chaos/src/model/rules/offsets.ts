import { type Evidence, entriesOf, placeOf, recordId } from '../evidence.js';
import type { JournaledRecord } from '../journal-entry.js';

/** Offsets that have a hole, or that name another record than the one that was confirmed. */
export function findOffsetViolations(evidence: Evidence): string[] {
  return [...holes(evidence.final.records), ...changes(evidence), ...badSamples(evidence)];
}

/** The records of a partition have the offsets 0, 1, 2 … */
function holes(records: readonly JournaledRecord[]): string[] {
  const next = new Map<string, number>();
  const problems: string[] = [];
  for (const record of records) {
    const partition = `${record.topic}/${record.partition}`;
    const expected = next.get(partition) ?? 0;
    if (record.offset !== expected) problems.push(`${partition}: offset ${expected} is followed by ${record.offset}`);
    next.set(partition, record.offset + 1);
  }
  return problems;
}

/** What was confirmed at an offset, and what was handled there, is what is read there at the end. */
function changes(evidence: Evidence): string[] {
  const final = new Map(evidence.final.records.map((record) => [placeOf(record), recordId(record)]));
  const seen: JournaledRecord[] = [...entriesOf(evidence, 'record-confirmed')];
  // A record that no replica confirmed may have been handled, and be gone with the server that had it.
  if (!evidence.mayLoseUnconfirmed) seen.push(...entriesOf(evidence, 'record-begun'));
  return seen
    .filter((record) => final.get(placeOf(record)) !== recordId(record))
    .map((record) => `${placeOf(record)} was ${recordId(record)}, and is ${final.get(placeOf(record)) ?? 'nothing'}`);
}

/** At every moment the counters said what the stream itself says. */
function badSamples({ partitionSamples }: Evidence): string[] {
  return partitionSamples
    .filter(({ start, end, lastEntry }) => lastEntry !== end || start > end)
    .map(
      ({ topic, partition, start, end, lastEntry }) =>
        `${topic}/${partition}: start ${start}, end ${end}, but the last entry is 0-${lastEntry}`,
    );
}
