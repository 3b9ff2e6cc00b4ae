/** So many pass between two moves at least: a move costs a copy of what is there. */
const minPassed = 256;
/** And when there is nothing to copy: as many as the first table of a Map has room for. */
const minPassedEmpty = 4;

/**
 * A Map for what comes and goes, such as messages under way.
 *
 * A Map of JavaScript moves to a new table whenever entries that came and went have filled its own. V8's old table goes on naming the
 * new one, and whatever was there when it moved. Once one of them has grown old, the garbage collector of the young holds all
 * that passes through the Map from then on for alive, copies it twice, and leaves it to a collection of everything: with 40 objects
 * under way at once it took 8 times as long as without the Map. So this one begins anew, with nothing of the old, before much has
 * passed, and after it was empty: by then, one that was at rest is old.
 */
export class ShortLivedMap<K, V> {
  #entries = new Map<K, V>();
  #passed = 0;

  /** How many are here. */
  get size(): number {
    return this.#entries.size;
  }

  /** Whether one is here. */
  has(key: K): boolean {
    return this.#entries.has(key);
  }

  /** Undefined when there is none. */
  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  /** Puts one in, instead of what was there by that key. */
  set(key: K, value: V): void {
    const { size } = this.#entries;
    if (size === 0 ? this.#passed >= minPassedEmpty : this.#passed >= minPassed && this.#passed >= size * 4) {
      this.#entries = new Map(this.#entries);
      this.#passed = 0;
    }
    this.#passed++;
    this.#entries.set(key, value);
  }

  /** Takes one out; false when there is none. */
  delete(key: K): boolean {
    return this.#entries.delete(key);
  }

  /** Takes all out. */
  clear(): void {
    this.#entries = new Map();
    this.#passed = 0;
  }

  /** In the order in which they came; of this moment, whatever comes or goes meanwhile. */
  values(): V[] {
    return [...this.#entries.values()];
  }
}
