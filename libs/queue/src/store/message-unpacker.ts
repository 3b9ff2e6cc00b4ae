/**
 * Takes apart what `cmsgpack.pack` made of a list of strings: one reply element instead of thousands, of which the client's
 * parser would make each by itself. The strings are views of the reply.
 */
export class MessageUnpacker {
  /** How many strings there are. */
  readonly count: number;
  readonly #packed: Buffer;
  #at: number;

  constructor(packed: Buffer) {
    const head = packed[0] ?? 0x90;
    this.#packed = packed;
    if (head === 0xdc) [this.count, this.#at] = [packed.readUInt16BE(1), 3];
    else if (head === 0xdd) [this.count, this.#at] = [packed.readUInt32BE(1), 5];
    // Nothing in it: Lua does not tell an empty list from an empty map (0x80).
    else [this.count, this.#at] = [head & 0x0f, 1];
  }

  /** The next string; there are `count` of them. */
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
