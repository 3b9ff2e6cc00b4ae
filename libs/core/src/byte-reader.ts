import { CodecError } from './errors.js';

/** Reads what a ByteWriter wrote. Anything cut short or out of bounds is a CodecError, never a crash or a huge allocation. */
export class ByteReader {
  readonly #bytes: Buffer;
  #position: number;

  constructor(bytes: Buffer, position = 0) {
    this.#bytes = bytes;
    this.#position = position;
  }

  /** Bytes from the start of the frame to the next read. */
  get position(): number {
    return this.#position;
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.#bytes.length - this.#position;
  }

  /** The next byte. @throws {CodecError} at the end */
  byte(): number {
    const value = this.#bytes[this.#position];
    if (value === undefined) throw cutShort(this.#position);
    this.#position++;
    return value;
  }

  /** A whole number from 0 to 2^53, as LEB128. @throws {CodecError} the number is larger, or cut short */
  varint(): number {
    // Nearly all numbers in a frame are lengths and differences below 128.
    const first = this.#bytes[this.#position];
    if (first !== undefined && first < 0x80) {
      this.#position++;
      return first;
    }
    let value = 0;
    let scale = 1;
    for (let index = 0; index < 8; index++) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      scale *= 0x80;
    }
    throw new CodecError(`frame holds a number past 2^53 at byte ${this.#position}`);
  }

  /** A whole number that may be negative, in ZigZag form. @throws {CodecError} past 2^53, or at the end */
  signedVarint(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** A 64-bit float, little-endian. @throws {CodecError} at the end */
  float64(): number {
    this.#need(8);
    const value = this.#bytes.readDoubleLE(this.#position);
    this.#position += 8;
    return value;
  }

  /** A view of the frame's own bytes, not a copy. */
  block(): Buffer {
    return this.raw(this.varint());
  }

  /** A length, followed by that many bytes of UTF-8. @throws {CodecError} there are fewer */
  text(): string {
    const length = this.varint();
    this.#need(length);
    const start = this.#position;
    this.#position += length;
    return this.#bytes.toString('utf8', start, this.#position);
  }

  /** The next `length` bytes: a view, not a copy. @throws {CodecError} there are fewer */
  raw(length: number): Buffer {
    this.#need(length);
    const start = this.#position;
    this.#position += length;
    return this.#bytes.subarray(start, this.#position);
  }

  /** Skips `length` bytes. @throws {CodecError} there are fewer */
  skip(length: number): void {
    this.#need(length);
    this.#position += length;
  }

  /** The rest of the frame: a view, not a copy. */
  rest(): Buffer {
    return this.raw(this.remaining);
  }

  #need(length: number): void {
    if (length > this.remaining) throw cutShort(this.#position);
  }
}

function cutShort(position: number): CodecError {
  return new CodecError(`frame is cut short at byte ${position}`);
}
