/**
 * Writes a frame into one growing buffer, so that a batch of a thousand records costs one allocation, not thousands.
 * Integers are LEB128 varints (as in Protocol Buffers); signed ones are zigzag-coded first.
 */
export class ByteWriter {
  #bytes: Buffer;
  #length = 0;

  constructor(initialBytes = 1024) {
    this.#bytes = Buffer.allocUnsafe(initialBytes);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** Adds one byte, 0 to 255. */
  byte(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
    return this;
  }

  /** A whole number from 0 to 2^53 − 1. */
  varint(value: number): this {
    this.#reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
    return this;
  }

  /** A whole number that may be negative and is mostly near 0, such as a difference of timestamps. */
  signedVarint(value: number): this {
    return this.varint(value >= 0 ? value * 2 : -value * 2 - 1);
  }

  /** Adds a 64-bit float, little-endian. */
  float64(value: number): this {
    this.#reserve(8);
    this.#bytes.writeDoubleLE(value, this.#length);
    this.#length += 8;
    return this;
  }

  /**
   * Length, then bytes; a string is written as UTF-8. Returns how many bytes the content took.
   *
   * @param byteLength the content's length in bytes, if the caller already knows it
   */
  block(content: Uint8Array | string, byteLength?: number): number {
    if (typeof content !== 'string') {
      this.varint(content.length).raw(content);
      return content.length;
    }
    const length = byteLength ?? Buffer.byteLength(content);
    this.varint(length);
    this.#reserve(length);
    this.#length += this.#bytes.write(content, this.#length);
    return length;
  }

  /** UTF-8 without a length before it; `length` is its size in bytes. */
  text(content: string, length: number): this {
    this.#reserve(length);
    this.#length += this.#bytes.write(content, this.#length);
    return this;
  }

  /** Adds characters up to U+00FF, one byte each, without a length before them. */
  latin1(content: string): this {
    this.#reserve(content.length);
    this.#length += this.#bytes.write(content, this.#length, content.length, 'latin1');
    return this;
  }

  /** Adds bytes as they are, without a length before them. */
  raw(content: Uint8Array): this {
    this.#reserve(content.length);
    this.#bytes.set(content, this.#length);
    this.#length += content.length;
    return this;
  }

  /** Discards everything after `length` bytes: removes a record that could not be written completely. */
  truncate(length: number): void {
    this.#length = Math.min(this.#length, length);
  }

  /** The written bytes. The writer must not be used afterwards: the buffer is handed over, not copied. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(extra: number): void {
    const needed = this.#length + extra;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}
