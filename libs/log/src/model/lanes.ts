import { Fifo, PassingMap } from '@millrace/core';

/**
 * What must not run at the same time: `key`: records of one key (those without a key are free); `partition`: all records
 * of the partition; `none`: nothing.
 */
export const orderings = ['key', 'partition', 'none'] as const;
/** What stays in order: `key`, `partition` or `none`. */
export type Ordering = (typeof orderings)[number];

/** The lane a record runs in; undefined: it may run whenever it likes. */
export function laneOf(ordering: Ordering, key: string | undefined): string | undefined {
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

/** Lets one item at a time into each lane and keeps the others in their order. A lane costs nothing while nobody is in it. */
export class Lanes<T> {
  /** Busy lanes; those where somebody waits have a queue. */
  readonly #lanes = new PassingMap<string, Fifo<T> | null>();

  /** Whether `item` may run now. If not, it waits its turn: `leave` answers it. */
  enter(name: string, item: T): boolean {
    const lane = this.#lanes.get(name);
    if (lane === undefined) {
      this.#lanes.set(name, null);
      return true;
    }
    (lane ?? this.#queue(name)).push(item);
    return false;
  }

  /** The one in the lane has ended for good: answers who is next, who has the lane now. */
  leave(name: string): T | undefined {
    const next = this.#lanes.get(name)?.shift();
    if (next === undefined) this.#lanes.delete(name);
    return next;
  }

  /** Puts items that had their turn back before those who wait; somebody is in the lane. */
  putBack(name: string, items: readonly T[]): void {
    this.#queue(name).putBack(items);
  }

  /** Those who wait in a lane, first to last. */
  waiting(name: string): Iterable<T> {
    return this.#lanes.get(name) ?? [];
  }

  hasWaiting(name: string): boolean {
    return (this.#lanes.get(name)?.size ?? 0) > 0;
  }

  isBusy(name: string): boolean {
    return this.#lanes.size > 0 && this.#lanes.has(name);
  }

  clear(): void {
    this.#lanes.clear();
  }

  #queue(name: string): Fifo<T> {
    const queue = this.#lanes.get(name) ?? new Fifo<T>();
    this.#lanes.set(name, queue);
    return queue;
  }
}
