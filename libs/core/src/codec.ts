/**
 * Turns a value into bytes and back. `id` is written into every frame, so a reader finds the right codec by itself.
 * Ids 0–15 are Millrace's own; choose 16–255 for yours, and never use one again for something else.
 *
 * All its functions return now: a promise, or what is neither bytes nor a string where those are wanted, is an error as if it
 * had been thrown. Then nothing is sent, or the message is a dead letter (`undecodable`).
 */
export interface Codec<T = unknown> {
  /** Written into every frame, 0–255: what readers find the codec by. */
  readonly id: number;
  /** What options name it by: `json`, say. */
  readonly name: string;
  /** A string stands for its UTF-8 bytes, which saves a copy. @throws any error when the value cannot be encoded */
  encode(value: T): Uint8Array | string;
  /** Of several values at once what `encode` makes of each, if that takes less time; else undefined, also when one is wrong. */
  encodeTexts?(values: readonly T[]): string[] | undefined;
  /** `bytes` is a view that is only valid during the call: copy what is kept. @throws any error when they mean nothing */
  decode(bytes: Buffer): T;
  /** The same for a part of `bytes`, without a view of it: for who decodes hundreds of thousands a second. */
  decodePart?(bytes: Buffer, start: number, end: number): T;
  /** The same when the bytes are ASCII, given as text. Keep no part of it: it may be a piece of a much larger one. */
  decodeText?(text: string): T;
  /** Several of those at once, if that takes less time and all of them mean something; else undefined. */
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
