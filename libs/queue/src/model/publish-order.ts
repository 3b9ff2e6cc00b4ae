import { frameTimestamp } from './message-frame.js';

/** A message, by its entry and its frame. */
interface Framed {
  readonly id: string;
  readonly frame: Buffer;
}

/**
 * Sorts the messages of a set, which has no order, by publishing: by priority, then by their publishers' clocks, and within a ms of
 * one publisher by its counter. A message that was retried or delayed keeps its age.
 */
export function inPublishOrder<T extends Framed>(messages: readonly T[]): T[] {
  const placed = messages.map((message) => ({ message, counter: counterOf(message.id), ...ageOf(message.frame) }));
  placed.sort(
    (a, b) =>
      b.priority - a.priority ||
      a.timestamp - b.timestamp ||
      a.counter.length - b.counter.length ||
      (a.counter < b.counter ? -1 : 1),
  );
  return placed.map(({ message }) => message);
}

/** A publisher numbers its entries consecutively, with or without ids. */
function counterOf(entry: string): string {
  return entry.startsWith('.') ? entry.slice(1) : entry;
}

/** A message that cannot be read comes first: it will be dead-lettered. */
function ageOf(frame: Buffer): { readonly priority: number; readonly timestamp: number } {
  try {
    return { priority: frame[1] ?? 0, timestamp: frameTimestamp(frame) };
  } catch {
    return { priority: Number.POSITIVE_INFINITY, timestamp: 0 };
  }
}
