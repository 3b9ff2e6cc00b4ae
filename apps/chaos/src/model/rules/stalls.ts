import { type Evidence, entriesOf, messageIn, recordId } from '../evidence.js';

/**
 * The longest time in ms, after a fault had begun or had ended, in which something that could be handled was not begun:
 * from when it was confirmed (or due), or from the last fault event after that, whichever was later, until it was begun
 * for the first time. While Redis itself is down nothing is expected: that time ends with the outage, which is a fault.
 */
export function longestStallMs(evidence: Evidence): number {
  const events = evidence.faults.flatMap(({ beganAt, endedAt }) => [beganAt, endedAt]).sort((a, b) => a - b);
  let longest = 0;
  for (const { readyAt, begunAt } of waits(evidence)) {
    const last = lastBefore(events, begunAt);
    longest = Math.max(longest, begunAt - Math.max(readyAt, last));
  }
  return Math.round(longest / 1000);
}

function* waits(evidence: Evidence): Generator<{ readonly readyAt: number; readonly begunAt: number }> {
  const firsts = new Map<string, number>();
  const note = (name: string, at: number) => firsts.has(name) || firsts.set(name, at);
  for (const entry of entriesOf(evidence, 'record-begun')) note(recordId(entry), entry.at);
  for (const entry of entriesOf(evidence, 'message-begun')) note(messageIn(entry.queue, entry.id), entry.at);
  for (const entry of entriesOf(evidence, 'record-confirmed')) {
    const begunAt = firsts.get(recordId(entry));
    if (begunAt !== undefined) yield { readyAt: entry.at, begunAt };
  }
  for (const { id, queues, at, delayMs } of entriesOf(evidence, 'message-confirmed')) {
    for (const queue of queues) {
      const begunAt = firsts.get(messageIn(queue, id));
      if (begunAt !== undefined) yield { readyAt: at + delayMs * 1000, begunAt };
    }
  }
}

/** The largest of sorted values that is not after `limit`; 0 when there is none. */
function lastBefore(sorted: readonly number[], limit: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! <= limit) low = middle + 1;
    else high = middle;
  }
  return sorted[low - 1] ?? 0;
}
