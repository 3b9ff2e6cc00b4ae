/**
 * Which offsets of a partition are done. `offset` is the frontier: everything below it is done, so it may be committed;
 * what was done out of order beyond it is remembered until the gap closes.
 *
 * A ring of one byte an offset, because this is asked and told for every record: no hashing and nothing to collect.
 */
export class Frontier {
  #ring = new Uint8Array(1024);
  #offset: number;
  #beyond = 0;
  /** One past the highest offset that is done. */
  #top: number;

  constructor(offset: number) {
    this.#offset = offset;
    this.#top = offset;
  }

  /** The first offset that is not done: what is committed. */
  get offset(): number {
    return this.#offset;
  }

  /** How many offsets beyond the frontier are done. */
  get beyond(): number {
    return this.#beyond;
  }

  isDone(offset: number): boolean {
    if (offset < this.#offset) return true;
    return offset < this.#top && this.#ring[offset & (this.#ring.length - 1)] === 1;
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

  /** What is done beyond the frontier, as runs in ascending order. */
  runs(): { start: number; length: number }[] {
    const runs: { start: number; length: number }[] = [];
    let start = -1;
    for (let offset = this.#offset; offset <= this.#top; offset++) {
      const isDone = offset < this.#top && this.isDone(offset);
      if (isDone && start < 0) start = offset;
      if (isDone || start < 0) continue;
      runs.push({ start, length: offset - start });
      start = -1;
    }
    return runs;
  }

  #advance(): void {
    const mask = this.#ring.length - 1;
    this.#offset++;
    while (this.#offset < this.#top && this.#ring[this.#offset & mask] === 1) {
      this.#ring[this.#offset & mask] = 0;
      this.#beyond--;
      this.#offset++;
    }
    if (this.#top < this.#offset) this.#top = this.#offset;
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
