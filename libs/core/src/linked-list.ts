/** What can be in a list, in one at a time. */
export interface Linked<T> {
  /** The one before it. Kept by the list. */
  before: T | undefined;
  /** The one behind it. Kept by the list. */
  after: T | undefined;
}

/**
 * What is under way, in the order in which it came. The items themselves are the links: each is put in and taken out in constant time,
 * nothing is hashed, and what was taken out is named by nobody (see ShortLivedMap for what a Set does to the garbage collector).
 */
export class LinkedList<T extends Linked<T>> implements Iterable<T> {
  #first: T | undefined;
  #last: T | undefined;

  /** The one that came first of those that are here. */
  get first(): T | undefined {
    return this.#first;
  }

  /** Puts one behind all others; it must be in no list. */
  push(item: T): void {
    item.before = this.#last;
    if (this.#last === undefined) this.#first = item;
    else this.#last.after = item;
    this.#last = item;
  }

  /** Takes one out; false when it is not in the list. */
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

  /** First to last. Nothing may be taken out meanwhile. */
  *[Symbol.iterator](): Iterator<T> {
    for (let item = this.#first; item !== undefined; item = item.after) yield item;
  }
}
