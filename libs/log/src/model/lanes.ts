/**
 * What must not run at the same time: `key`: records of one key (those without a key are free); `partition`: all records
 * of the partition; `none`: nothing.
 */
export const orderings = ['key', 'partition', 'none'] as const;
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
  readonly #lanes = new Map<string, Lane<T> | undefined>();
  #held = 0;

  /** How many items wait behind others. */
  get held(): number {
    return this.#held;
  }

  /** Whether `item` may run now. If not, it waits its turn: `leave` answers it. */
  enter(name: string, item: T): boolean {
    if (!this.#lanes.has(name)) {
      this.#lanes.set(name, undefined);
      return true;
    }
    const lane = this.#lanes.get(name);
    if (lane === undefined) this.#lanes.set(name, { items: [item], head: 0 });
    else lane.items.push(item);
    this.#held++;
    return false;
  }

  /** The one in the lane has ended for good: answers who is next, who has the lane now. */
  leave(name: string): T | undefined {
    const lane = this.#lanes.get(name);
    if (lane === undefined || lane.head === lane.items.length) {
      this.#lanes.delete(name);
      return undefined;
    }
    const next = lane.items[lane.head++];
    this.#held--;
    // A busy lane never empties: drop what is behind the head now and then.
    if (lane.head > 1024 && lane.head * 2 > lane.items.length) {
      lane.items.splice(0, lane.head);
      lane.head = 0;
    }
    return next;
  }

  /** Those who wait in a lane, first to last. */
  waiting(name: string): readonly T[] {
    const lane = this.#lanes.get(name);
    return lane === undefined ? [] : lane.items.slice(lane.head);
  }

  isBusy(name: string): boolean {
    return this.#lanes.has(name);
  }
}

interface Lane<T> {
  readonly items: T[];
  head: number;
}
