import { type Evidence, entriesOf } from '../evidence.js';
import type { JournalEntry } from '../journal-entry.js';

/** What shows that a process of each role is at work, on the log and on the queues. */
const signs = {
  producer: ['record-confirmed', 'message-confirmed'],
  consumer: ['record-handled', 'message-handled'],
} as const satisfies Record<string, readonly JournalEntry['kind'][]>;

/** Processes that nothing was done to any more, and that did not come back: the work of a consumer is done by others, so no loss shows it. */
export function findAbsences(evidence: Evidence): string[] {
  const { crew, healedAt } = evidence;
  return (['producer', 'consumer'] as const).flatMap((role) =>
    signs[role].flatMap((kind) => {
      const present = new Set(entriesOf(evidence, kind).flatMap(({ at, process }) => (at > healedAt ? [process] : [])));
      return crew[role].filter((name) => !present.has(name)).map((name) => `${name}: no ${kind} after the last fault`);
    }),
  );
}
