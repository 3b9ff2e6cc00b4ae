const maxShort = 0xff;
const maxMedium = 0xffff;

/**
 * Writes a list of strings as MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md), which a script takes
 * apart with one call of `cmsgpack.unpack`. Only what that needs: one list, of byte strings.
 */
export class MessagePacker {
  readonly #bytes: Buffer;
  #length = 0;

  /** @param maxBytes of the whole: 5, and for each string its bytes and at most 5 more */
  constructor(maxBytes: number, count: number) {
    this.#bytes = Buffer.allocUnsafe(maxBytes);
    this.#length = this.#bytes.writeUInt8(0xdd, 0);
    this.#length = this.#bytes.writeUInt32BE(count, this.#length);
  }

  text(text: string): this {
    // Ids of our own making are short and plain; a longer one may have more bytes than characters.
    if (text.length * 3 > maxShort) return this.bytes(Buffer.from(text));
    const written = this.#bytes.write(text, this.#length + 2);
    this.#bytes[this.#length++] = 0xd9;
    this.#bytes[this.#length++] = written;
    this.#length += written;
    return this;
  }

  bytes(bytes: Uint8Array): this {
    this.#head(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #head(length: number): void {
    if (length <= maxShort) {
      this.#bytes[this.#length++] = 0xd9;
      this.#bytes[this.#length++] = length;
    } else if (length <= maxMedium) {
      this.#bytes[this.#length++] = 0xda;
      this.#length = this.#bytes.writeUInt16BE(length, this.#length);
    } else {
      this.#bytes[this.#length++] = 0xdb;
      this.#length = this.#bytes.writeUInt32BE(length, this.#length);
    }
  }
}
