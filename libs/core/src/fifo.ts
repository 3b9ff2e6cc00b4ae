/**
 * A queue whose head is taken in constant time, however long it is. It forgets what was taken at once, and need not be replaced by a
 * new one: the lists of whoever is mostly at rest are old, and what an old list still names when it is thrown away lives until the
 * garbage collector looks at everything.
 */
export class Fifo<T> {
  readonly #items: (T | undefined)[] = [];
  #head = 0;

  /** @param items the first ones. Default: none */
  constructor(items: readonly T[] = []) {
    for (const item of items) this.#items.push(item);
  }

  /** How many wait. */
  get size(): number {
    return this.#items.length - this.#head;
  }

  /** Puts one behind all others. */
  push(item: T): void {
    this.#items.push(item);
  }

  /** Puts items before all others, in their own order. */
  putBack(items: readonly T[]): void {
    this.#items.splice(0, this.#head, ...items);
    this.#head = 0;
  }

  /** The one that is next. */
  peek(): T | undefined {
    return this.#items[this.#head];
  }

  /** Takes the one that is next; undefined when there is none. */
  shift(): T | undefined {
    if (this.#head === this.#items.length) return undefined;
    // Mostly it is the only one: its list stays what it is.
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

  /** Takes those that are next, at most so many. */
  take(count: number): T[] {
    const taken: T[] = [];
    while (taken.length < count && this.size > 0) taken.push(this.shift() as T);
    return taken;
  }

  /** Takes those that are wanted, wherever they stand. */
  takeIf(isWanted: (item: T) => boolean): T[] {
    const taken: T[] = [];
    for (const item of this.take(this.size)) (isWanted(item) ? taken : this.#items).push(item);
    return taken;
  }

  /** Takes all away. */
  clear(): void {
    this.#items.length = 0;
    this.#head = 0;
  }

  /** In their order; nothing may be taken meanwhile. */
  *[Symbol.iterator](): Iterator<T> {
    for (let index = this.#head; index < this.#items.length; index++) {
      const item = this.#items[index];
      if (item !== undefined) yield item;
    }
  }
}
