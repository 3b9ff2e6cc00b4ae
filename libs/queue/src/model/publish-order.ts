import { frameTimestamp } from './message-frame.js';

/** A message, by its entry and its frame. */
interface Framed {
  readonly id: string;
  readonly frame: Buffer;
}

/**
 * Messages of a set, which has no order, in that in which they were published: by priority, then by the clocks of their publishers, and
 * what one publisher published within a ms by its counter. One that was retried or delayed meanwhile is as old as it was.
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

/** A publisher counts its entries on, whether or not it gives ids. */
function counterOf(entry: string): string {
  return entry.startsWith('.') ? entry.slice(1) : entry;
}

/** What cannot be read comes first, as it will be dead-lettered. */
function ageOf(frame: Buffer): { readonly priority: number; readonly timestamp: number } {
  try {
    return { priority: frame[1] ?? 0, timestamp: frameTimestamp(frame) };
  } catch {
    return { priority: Number.POSITIVE_INFINITY, timestamp: 0 };
  }
}
