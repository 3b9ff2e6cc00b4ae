/**
 * A queue whose head is taken in constant time, whatever its length. It drops its reference to a taken item immediately, and is kept when
 * it is empty: see docs/decisions/0008.
 */
export class Fifo<T> {
  readonly #items: (T | undefined)[] = [];
  #head = 0;

  /** @param items the first ones. Default: none */
  constructor(items: readonly T[] = []) {
    for (const item of items) this.#items.push(item);
  }

  /** The number of items. */
  get size(): number {
    return this.#items.length - this.#head;
  }

  /** Appends an item. */
  push(item: T): void {
    this.#items.push(item);
  }

  /** Puts items before all others, in their order. */
  putBack(items: readonly T[]): void {
    this.#items.splice(0, this.#head, ...items);
    this.#head = 0;
  }

  /** The next item. */
  peek(): T | undefined {
    return this.#items[this.#head];
  }

  /** Removes and returns the next item; undefined when there is none. */
  shift(): T | undefined {
    if (this.#head === this.#items.length) return undefined;
    // Usually it is the only item: the list is kept.
    if (this.#items.length === 1) return this.#items.pop();
    const item = this.#items[this.#head];
    this.#items[this.#head++] = undefined;
    if (this.#head === this.#items.length) {
      this.#items.length = 0;
      this.#head = 0;
    } else if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** Removes and returns the next items, up to the given number. */
  take(count: number): T[] {
    const taken: T[] = [];
    while (taken.length < count && this.size > 0) taken.push(this.shift() as T);
    return taken;
  }

  /** Removes and returns the items that match, at any position. */
  takeIf(isWanted: (item: T) => boolean): T[] {
    const taken: T[] = [];
    for (const item of this.take(this.size)) (isWanted(item) ? taken : this.#items).push(item);
    return taken;
  }

  /** Removes all items. */
  clear(): void {
    this.#items.length = 0;
    this.#head = 0;
  }

  /** In order; no item may be taken during the iteration. */
  *[Symbol.iterator](): Iterator<T> {
    for (let index = this.#head; index < this.#items.length; index++) {
      const item = this.#items[index];
      if (item !== undefined) yield item;
    }
  }
}
