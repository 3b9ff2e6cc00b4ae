import { CodecError } from './errors.js';

/**
 * Turns a value into bytes and back. `id` is written into every frame, so a reader finds the right codec by itself.
 * Ids 0–15 are Millrace's own; choose 16–255 for yours, and never use one again for something else.
 */
export interface Codec<T = unknown> {
  /** Written into every frame, 0–255: what readers find the codec by. */
  readonly id: number;
  /** What options name it by: `json`, say. */
  readonly name: string;
  /** A string stands for its UTF-8 bytes, which saves a copy. @throws any error when the value cannot be encoded */
  encode(value: T): Uint8Array | string;
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

/** JSON, the default. `undefined` and functions cannot be encoded and are refused rather than lost. */
export const jsonCodec: Codec = {
  id: 1,
  name: 'json',
  encode(value) {
    const json: string | undefined = JSON.stringify(value);
    if (json === undefined) throw new TypeError(`JSON has no ${typeof value}`);
    return json;
  },
  decode: (bytes): unknown => JSON.parse(bytes.toString('utf8')),
  decodePart: (bytes, start, end): unknown => JSON.parse(bytes.toString('utf8', start, end)),
  decodeText: (text): unknown => JSON.parse(text),
  decodeTexts: parseObjects,
};

/**
 * Parses objects as one array, which takes two thirds of the time: V8 expects the next object to look like the last one.
 * Together they must not mean anything else than each by itself: where every text begins as an object, none can end one and
 * begin another but a string behind it, and there are as many objects as texts, each text is one of them.
 */
function parseObjects(texts: readonly string[]): unknown[] | undefined {
  if (!texts.every(isWithin)) return undefined;
  try {
    const values: unknown[] = JSON.parse(`[${texts.join()}]`);
    return values.length === texts.length && values.every((value) => typeof value === 'object') ? values : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a text begins as an object, ends as one, and a `}` within is followed by nothing but `}`, `]` or `,"`. */
function isWithin(text: string): boolean {
  if (!text.startsWith('{')) return false;
  let end = text.indexOf('}');
  for (; end >= 0 && end < text.length - 1; end = text.indexOf('}', end + 1)) {
    const next = text.charAt(end + 1);
    if (next === ',' ? text.charAt(end + 2) !== '"' : next !== '}' && next !== ']') return false;
  }
  return end >= 0;
}

/** The codecs a connection knows: finds one for the id in a frame. */
export class CodecRegistry {
  readonly #byId = new Map<number, Codec>();

  constructor(codecs: readonly Codec[]) {
    for (const codec of codecs) {
      const other = this.#byId.get(codec.id);
      if (other !== undefined && other !== codec) {
        throw new CodecError(`codecs "${other.name}" and "${codec.name}" both have id ${codec.id}: change one of them`);
      }
      this.#byId.set(codec.id, codec);
    }
  }

  /** The codec with that id. @throws {CodecError} when no codec has that id */
  get(id: number): Codec {
    const codec = this.#byId.get(id);
    if (codec === undefined) throw new CodecError(`no codec has id ${id}: add the codec that wrote it to the options`);
    return codec;
  }
}
