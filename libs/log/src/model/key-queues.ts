import { Fifo, ShortLivedMap } from '@millrace/core';

/**
 * What must not run simultaneously: `key`: records of one key (those without a key run in any order); `partition`: all records
 * of the partition; `none`: no restriction.
 */
export const orderings = ['key', 'partition', 'none'] as const;
/** What stays in order: `key`, `partition` or `none`. */
export type Ordering = (typeof orderings)[number];

/** The key under which a record waits for others; undefined: it may run at any time. */
export function queueKeyOf(ordering: Ordering, key: string | undefined): string | undefined {
  switch (ordering) {
    case 'key':
      return key;
    case 'partition':
      return '';
    case 'none':
      return undefined;
    default:
      return ordering satisfies never;
  }
}

/** Runs one item of each key at a time and keeps the others in order. A key without items costs nothing. */
export class KeyQueues<T> {
  /** The keys of which an item runs; those with waiting items have a queue. */
  readonly #queues = new ShortLivedMap<string, Fifo<T> | null>();

  /** Whether `item` may run now. If not, it waits until `leave` returns it. */
  enter(key: string, item: T): boolean {
    const queue = this.#queues.get(key);
    if (queue === undefined) {
      this.#queues.set(key, null);
      return true;
    }
    (queue ?? this.#queueOf(key)).push(item);
    return false;
  }

  /** The item that ran has ended. Returns the next of its key, which may run now. */
  leave(key: string): T | undefined {
    const next = this.#queues.get(key)?.shift();
    if (next === undefined) this.#queues.delete(key);
    return next;
  }

  /** Puts items that could have run back before those that wait; an item of the key must be running. */
  putBack(key: string, items: readonly T[]): void {
    this.#queueOf(key).putBack(items);
  }

  /** The waiting items of a key, first to last. */
  waiting(key: string): Iterable<T> {
    return this.#queues.get(key) ?? [];
  }

  hasWaiting(key: string): boolean {
    return (this.#queues.get(key)?.size ?? 0) > 0;
  }

  isBusy(key: string): boolean {
    return this.#queues.size > 0 && this.#queues.has(key);
  }

  clear(): void {
    this.#queues.clear();
  }

  #queueOf(key: string): Fifo<T> {
    const queue = this.#queues.get(key) ?? new Fifo<T>();
    this.#queues.set(key, queue);
    return queue;
  }
}
