/** An item of a list; it can be in one list at a time. */
export interface Linked<T> {
  /** The previous item. Maintained by the list. */
  before: T | undefined;
  /** The next item. Maintained by the list. */
  after: T | undefined;
}

/**
 * Items in flight, in the order in which they came. The items themselves are the links: adding and removing take constant time, nothing
 * is hashed, and no reference to a removed item remains: see docs/decisions/0008.
 */
export class LinkedList<T extends Linked<T>> implements Iterable<T> {
  #first: T | undefined;
  #last: T | undefined;

  /** The oldest item in the list. */
  get first(): T | undefined {
    return this.#first;
  }

  /** Appends an item; it must be in no list. */
  push(item: T): void {
    item.before = this.#last;
    if (this.#last === undefined) this.#first = item;
    else this.#last.after = item;
    this.#last = item;
  }

  /** Removes an item; returns false when it is not in the list. */
  remove(item: T): boolean {
    const { before, after } = item;
    if (before === undefined && this.#first !== item) return false;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    item.before = undefined;
    item.after = undefined;
    return true;
  }

  /** First to last. No item may be removed during the iteration. */
  *[Symbol.iterator](): Iterator<T> {
    for (let item = this.#first; item !== undefined; item = item.after) yield item;
  }
}
