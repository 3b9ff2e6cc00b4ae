/** The fewest entries that pass between two moves: a move copies all present entries. */
const minPassed = 256;
/** The same when there is nothing to copy: the capacity of a Map's first table. */
const minPassedEmpty = 4;

/**
 * A Map for short-lived entries, such as messages in flight. In V8 the tables that a Map has left refer to its present one, and keep all
 * later entries alive once they are old themselves (docs/decisions/0008). So this class starts a new Map, without references from the old
 * one, before many entries have passed, and whenever it was empty: an idle Map is in the old generation by then.
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
