import { type Evidence, entriesOf, messageIn } from '../evidence.js';

/** Redis' clock and ours are the same, but each is rounded down to whole milliseconds. */
const roundingMs = 1;

/** Delayed messages that were begun before their time. */
export function findEarlyDeliveries(evidence: Evidence): string[] {
  const dueMs = new Map<string, number>();
  for (const { id, queues, sentMs, delayMs } of entriesOf(evidence, 'message-confirmed')) {
    if (delayMs > 0) for (const queue of queues) dueMs.set(messageIn(queue, id), sentMs + delayMs - roundingMs);
  }
  return entriesOf(evidence, 'message-begun')
    .filter(({ queue, id, clockMs }) => clockMs < (dueMs.get(messageIn(queue, id)) ?? 0))
    .map(({ queue, id, clockMs }) => {
      const earlyMs = dueMs.get(messageIn(queue, id))! - clockMs;
      return `message ${id} of queue ${queue} was begun ${earlyMs} ms before its time`;
    });
}
