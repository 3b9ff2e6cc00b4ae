/** The fewest entries that pass between two moves: a move copies all present entries. */
const minPassed = 256;
/** The same when there is nothing to copy: the capacity of a Map's first table. */
const minPassedEmpty = 4;

/**
 * A Map for short-lived entries, such as messages in flight.
 *
 * A JavaScript Map moves to a new table whenever its table is full of added and deleted entries. In V8 the old table keeps a reference to
 * the new one, and to the entries of the time it moved. Once such a table is in the old generation, the scavenger treats every later
 * entry as alive, copies it twice, and leaves it to a full collection: with 40 objects in flight simultaneously that took 8 times as long
 * as without the Map. So this class starts a new Map, without references from the old one, before many entries have passed, and whenever
 * it was empty: an idle Map is in the old generation by then.
 */
export class ShortLivedMap<K, V> {
  #entries = new Map<K, V>();
  #passed = 0;

  /** The number of entries. */
  get size(): number {
    return this.#entries.size;
  }

  /** Whether the key has an entry. */
  has(key: K): boolean {
    return this.#entries.has(key);
  }

  /** The value of a key; undefined when there is none. */
  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  /** Sets the value of a key. */
  set(key: K, value: V): void {
    const { size } = this.#entries;
    if (size === 0 ? this.#passed >= minPassedEmpty : this.#passed >= minPassed && this.#passed >= size * 4) {
      this.#entries = new Map(this.#entries);
      this.#passed = 0;
    }
    this.#passed++;
    this.#entries.set(key, value);
  }

  /** Deletes an entry; returns false when there is none. */
  delete(key: K): boolean {
    return this.#entries.delete(key);
  }

  /** Deletes all entries. */
  clear(): void {
    this.#entries = new Map();
    this.#passed = 0;
  }

  /** A snapshot of the values in the order in which they were added; later changes do not affect it. */
  values(): V[] {
    return [...this.#entries.values()];
  }
}
