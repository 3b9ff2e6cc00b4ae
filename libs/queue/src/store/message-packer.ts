import { isAscii } from '../model/outgoing-frame.js';

const maxMedium = 0xffff;
const shortHeads = Array.from({ length: 0x100 }, (_, length) => String.fromCharCode(0xd9, length));

/**
 * Writes a list of strings as MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md), which a script decodes
 * with one call of `cmsgpack.unpack`. Supports only what that needs: one list, of byte strings.
 */
export class MessagePacker {
  readonly #bytes: Buffer;
  #length = 0;
  /** Pending bytes, one per character: written in one call, since a write takes as long as appending ten strings. */
  #text = '';

  /** @param maxBytes of the whole: 5, plus for each string its bytes and at most 5 more */
  constructor(maxBytes: number, count: number) {
    this.#bytes = Buffer.allocUnsafe(maxBytes);
    this.#length = this.#bytes.writeUInt8(0xdd, 0);
    this.#length = this.#bytes.writeUInt32BE(count, this.#length);
  }

  /** Adds any string, as UTF-8. */
  text(text: string): this {
    return isAscii(text) ? this.latin1(text) : this.bytes(Buffer.from(text));
  }

  /** Adds a string of characters up to U+00FF, each of which stands for a byte. */
  latin1(text: string): this {
    this.#text += headOf(text.length) + text;
    return this;
  }

  bytes(bytes: Uint8Array): this {
    this.#text += headOf(bytes.length);
    this.#writeText();
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  finish(): Buffer {
    this.#writeText();
    return this.#bytes.subarray(0, this.#length);
  }

  #writeText(): void {
    this.#length += this.#bytes.write(this.#text, this.#length, 'latin1');
    this.#text = '';
  }
}

/** A list of strings, as UTF-8. */
export function packTexts(texts: readonly string[]): Buffer {
  let bytes = 5;
  for (const text of texts) bytes += text.length * 3 + 5;
  const packer = new MessagePacker(bytes, texts.length);
  for (const text of texts) packer.text(text);
  return packer.finish();
}

/** A list of strings of characters up to U+00FF, each of which stands for a byte. */
export function packLatin1(texts: readonly string[]): Buffer {
  let bytes = 5;
  for (const text of texts) bytes += text.length + 5;
  const packer = new MessagePacker(bytes, texts.length);
  for (const text of texts) packer.latin1(text);
  return packer.finish();
}

/** The head of a string of this many bytes. */
function headOf(length: number): string {
  return shortHeads[length] ?? longHead(length);
}

function longHead(length: number): string {
  return length <= maxMedium
    ? String.fromCharCode(0xda, length >>> 8, length & 0xff)
    : String.fromCharCode(0xdb, length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff);
}
