import { type Evidence, entriesOf, placeOf, recordId } from '../evidence.js';
import { grouped } from '../grouped.js';
import type { EntryOf, JournaledRecord } from '../journal-entry.js';

/**
 * Order per key, precisely. Of the records of one key in one partition:
 *
 * 1. Their offsets have the order in which their producer sent them.
 * 2. No record is begun for the first time before each one of lower offset has been handled once, or has become a dead
 *    letter. So the first handlings of a key do not even overlap.
 *
 * What is handled again after that, by a process that could not know that it was done, may come at any time: at least once.
 * (A topic that gets another partition spreads keys again: order begins again there, as docs/topics.md says.)
 */
export function findOrderViolations(evidence: Evidence): string[] {
  return [...sentOutOfOrder(evidence), ...handledOutOfOrder(evidence)];
}

function sentOutOfOrder(evidence: Evidence): string[] {
  const problems: string[] = [];
  for (const records of grouped(evidence.final.records, keyOf).values()) {
    records.sort((a, b) => a.offset - b.offset);
    for (const [index, record] of records.entries()) {
      const before = records[index - 1];
      if (before === undefined || before.seq < record.seq) continue;
      const what = before.seq === record.seq ? 'is there twice' : 'was sent before, and stands after';
      problems.push(
        `${recordId(record)} at ${record.partition}@${record.offset} ${what} ${before.partition}@${before.offset}`,
      );
    }
  }
  return problems;
}

interface First {
  readonly record: EntryOf<'record-begun'>;
  handledAt: number;
}

function handledOutOfOrder(evidence: Evidence): string[] {
  const dead = new Set(evidence.final.deadRecords.map(recordId));
  const firsts = firstHandlings(evidence);
  const problems: string[] = [];
  for (const records of grouped(
    [...firsts.values()].map(({ record }) => record),
    keyOf,
  ).values()) {
    records.sort((a, b) => a.offset - b.offset);
    let latest: First | undefined;
    for (const record of records) {
      const first = firsts.get(recordId(record))!;
      if (latest !== undefined && record.at < latest.handledAt) {
        problems.push(`${recordId(record)} was begun before ${recordId(latest.record)} was handled`);
      }
      // When exactly a record became a dead letter is not recorded; it is only known that it was begun before.
      const doneAt = dead.has(recordId(record)) ? record.at : first.handledAt;
      if (latest === undefined || doneAt > latest.handledAt) latest = { record, handledAt: doneAt };
    }
  }
  return problems;
}

/**
 * When each record was begun, and handled, for the first time. What was never handled is handled at the end of time. A
 * record that is not in the log any more had no promise: what stands at its place now has.
 */
function firstHandlings(evidence: Evidence): Map<string, First> {
  const final = new Set(evidence.final.records.map((record) => `${placeOf(record)} ${recordId(record)}`));
  const firsts = new Map<string, First>();
  for (const record of entriesOf(evidence, 'record-begun')) {
    if (!final.has(`${placeOf(record)} ${recordId(record)}`)) continue;
    if (!firsts.has(recordId(record))) firsts.set(recordId(record), { record, handledAt: Number.POSITIVE_INFINITY });
  }
  for (const record of entriesOf(evidence, 'record-handled')) {
    const first = firsts.get(recordId(record));
    if (first !== undefined) first.handledAt = Math.min(first.handledAt, record.at);
  }
  return firsts;
}

function keyOf({ topic, partition, key }: JournaledRecord): string {
  return `${topic} ${partition} ${key}`;
}
