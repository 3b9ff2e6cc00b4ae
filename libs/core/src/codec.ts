/**
 * Turns a value into bytes and back. `id` is written into every frame, so a reader finds the right codec by itself.
 * Ids 0–15 are Millrace's own; choose 16–255 for yours, and never use one again for something else.
 *
 * All its functions are synchronous. A returned promise, or anything but bytes or a string where those are expected, counts as a thrown
 * error: nothing is sent, or the message becomes a dead letter (`undecodable`).
 */
export interface Codec<T = unknown> {
  /** Written into every frame, 0–255; readers find the codec by it. */
  readonly id: number;
  /** Its name in options, such as `json`. */
  readonly name: string;
  /** A returned string stands for its UTF-8 bytes, which saves a copy. @throws any error when the value cannot be encoded */
  encode(value: T): Uint8Array | string;
  /**
   * Encodes several values in one call, with the same results as `encode`, if that is faster; else returns undefined, also when one value
   * is wrong.
   */
  encodeTexts?(values: readonly T[]): string[] | undefined;
  /** `bytes` is a view that is only valid during the call: copy what you keep. @throws any error when they cannot be decoded */
  decode(bytes: Buffer): T;
  /** The same for a part of `bytes`, without a view of it: for hundreds of thousands of calls per second. */
  decodePart?(bytes: Buffer, start: number, end: number): T;
  /** The same for ASCII bytes, given as a string. Keep no part of it: it may be a slice of a much larger string. */
  decodeText?(text: string): T;
  /** Decodes several such strings in one call, if that is faster and all of them are valid; else returns undefined. */
  decodeTexts?(texts: readonly string[]): T[] | undefined;
}

/** Bytes as they are: Buffer or Uint8Array in, Buffer out. */
export const rawCodec: Codec<Uint8Array> = {
  id: 0,
  name: 'raw',
  encode(value) {
    if (!(value instanceof Uint8Array)) throw new TypeError('the raw codec takes a Buffer or Uint8Array');
    return value;
  },
  decode: (bytes) => Buffer.from(bytes),
};
