/**
 * Which offsets of a partition are done. `offset` is the frontier: everything below it is done and may be committed;
 * what is done out of order beyond it is kept until the gap closes.
 *
 * A ring of one byte per offset, since it is read and written for every record: see docs/decisions/0008.
 */
export class Frontier {
  #ring = new Uint8Array(1024);
  #offset: number;
  #beyond = 0;
  /** One past the highest offset in the ring that is done. */
  #top: number;
  /** Ranges completed in one call beyond the frontier, unordered: a batch that cannot be read claims its own length, which may be wrong. */
  #spans: { readonly start: number; readonly end: number }[] = [];

  constructor(offset: number) {
    this.#offset = offset;
    this.#top = offset;
  }

  /** The first offset that is not done: what is committed. */
  get offset(): number {
    return this.#offset;
  }

  /** How many offsets beyond the frontier are done, not counting spans. */
  get beyond(): number {
    return this.#beyond;
  }

  isDone(offset: number): boolean {
    if (offset < this.#offset) return true;
    if (offset < this.#top && this.#ring[offset & (this.#ring.length - 1)] === 1) return true;
    return this.#spans.length > 0 && this.#spans.some(({ start, end }) => start <= offset && offset < end);
  }

  /** Marks one offset; marking it again changes nothing. */
  complete(offset: number): void {
    if (offset === this.#offset) {
      this.#advance();
      return;
    }
    if (this.isDone(offset)) return;
    if (offset - this.#offset >= this.#ring.length) this.#grow(offset);
    this.#ring[offset & (this.#ring.length - 1)] = 1;
    this.#beyond++;
    if (offset >= this.#top) this.#top = offset + 1;
  }

  /**
   * Marks all from `start` to before `end`, in constant time. What is beyond the frontier is not in `runs`: another owner would
   * handle it again.
   */
  completeSpan(start: number, end: number): void {
    this.#spans.push({ start, end });
    this.#joinSpans();
  }

  /** What is done beyond the frontier, as runs in ascending order. */
  runs(): { start: number; length: number }[] {
    const runs: { start: number; length: number }[] = [];
    let start = -1;
    for (let offset = this.#offset; offset <= this.#top; offset++) {
      const isDone = offset < this.#top && this.#ring[offset & (this.#ring.length - 1)] === 1;
      if (isDone && start < 0) start = offset;
      if (isDone || start < 0) continue;
      runs.push({ start, length: offset - start });
      start = -1;
    }
    return runs;
  }

  #advance(): void {
    this.#offset++;
    this.#join();
    if (this.#spans.length > 0) this.#joinSpans();
  }

  /** Advances over what is done next to the frontier. */
  #join(): void {
    const mask = this.#ring.length - 1;
    while (this.#offset < this.#top && this.#ring[this.#offset & mask] === 1) {
      this.#ring[this.#offset & mask] = 0;
      this.#beyond--;
      this.#offset++;
    }
    if (this.#top < this.#offset) this.#top = this.#offset;
  }

  #joinSpans(): void {
    for (let next = this.#nextSpan(); next !== undefined; next = this.#nextSpan()) {
      this.#leapTo(next.end);
      this.#join();
    }
    this.#spans = this.#spans.filter(({ end }) => end > this.#offset);
  }

  #nextSpan(): { readonly end: number } | undefined {
    return this.#spans.find(({ start, end }) => start <= this.#offset && end > this.#offset);
  }

  #leapTo(offset: number): void {
    const mask = this.#ring.length - 1;
    for (let at = this.#offset; at < Math.min(offset, this.#top); at++) {
      this.#beyond -= this.#ring[at & mask] ?? 0;
      this.#ring[at & mask] = 0;
    }
    this.#offset = offset;
    if (this.#top < offset) this.#top = offset;
  }

  #grow(offset: number): void {
    let length = this.#ring.length;
    while (offset - this.#offset >= length) length *= 2;
    const grown = new Uint8Array(length);
    for (let at = this.#offset; at < this.#top; at++) {
      grown[at & (length - 1)] = this.#ring[at & (this.#ring.length - 1)] ?? 0;
    }
    this.#ring = grown;
  }
}
