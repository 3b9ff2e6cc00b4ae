/** Items and the time at which each is due: a binary heap, the earliest on top. */
export class DueQueue<T> {
  readonly #heap: { readonly dueMs: number; readonly item: T }[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** When the earliest item is due; infinite when the queue is empty. */
  get nextMs(): number {
    return this.#heap[0]?.dueMs ?? Number.POSITIVE_INFINITY;
  }

  add(dueMs: number, item: T): void {
    const heap = this.#heap;
    const entry = { dueMs, item };
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || parent.dueMs <= dueMs) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = entry;
  }

  /** Removes and returns the earliest item that is due at `nowMs`. */
  take(nowMs: number): T | undefined {
    const top = this.#heap[0];
    if (top === undefined || top.dueMs > nowMs) return undefined;
    const last = this.#heap.pop();
    if (last !== undefined && last !== top) this.#sink(last);
    return top.item;
  }

  #sink(entry: { readonly dueMs: number; readonly item: T }): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      const left = at * 2 + 1;
      const right = left + 1;
      const least = (heap[right]?.dueMs ?? Number.POSITIVE_INFINITY) < (heap[left]?.dueMs ?? 0) ? right : left;
      const child = heap[least];
      if (child === undefined || child.dueMs >= entry.dueMs) break;
      heap[at] = child;
      at = least;
    }
    heap[at] = entry;
  }
}
