/**
 * Decodes lists of strings that `cmsgpack.pack` made: one reply element instead of thousands, which the client's
 * parser would make one by one. The strings are views of the reply.
 */
export class MessageUnpacker {
  readonly #packed: Buffer;
  #at = 0;

  constructor(packed: Buffer) {
    this.#packed = packed;
  }

  /** Starts a list; returns the number of its strings. */
  list(): number {
    const packed = this.#packed;
    const at = this.#at;
    // Empty: Lua does not distinguish an empty list from an empty map (0x80).
    const head = packed[at] ?? 0x80;
    const [count, bytes] =
      head === 0xdc
        ? [packed.readUInt16BE(at + 1), 3]
        : head === 0xdd
          ? [packed.readUInt32BE(at + 1), 5]
          : [head & 0x0f, 1];
    this.#at = at + bytes;
    return count;
  }

  /** The next string of the list. */
  next(): Buffer {
    const packed = this.#packed;
    const at = this.#at;
    const kind = packed[at] ?? 0;
    let [start, length] = [at + 1, kind & 0x1f];
    if (kind === 0xd9) [start, length] = [at + 2, packed[at + 1] ?? 0];
    else if (kind === 0xda) [start, length] = [at + 3, packed.readUInt16BE(at + 1)];
    else if (kind === 0xdb) [start, length] = [at + 5, packed.readUInt32BE(at + 1)];
    this.#at = start + length;
    return packed.subarray(start, this.#at);
  }
}
