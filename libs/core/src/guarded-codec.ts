import { isThenable, wrongAnswer } from './callback.js';
import { type Codec, rawCodec } from './codec.js';
import { CodecError } from './errors.js';
import { jsonCodec } from './json-codec.js';
import { msgpackCodec } from './msgpack-codec.js';
import { shown } from './numbers.js';

/** The property that marks Millrace's own codecs, so that those of another copy are replaced by this one's. */
const ownKey = Symbol.for('millrace.codec');
const ownCodecs = [jsonCodec, msgpackCodec, rawCodec as Codec];
for (const own of ownCodecs) Object.defineProperty(own, ownKey, { value: own.id });

const guarded = new WeakMap<Codec, Codec>(ownCodecs.map((own) => [own, own]));

/** What is wrong with a codec, which may come from untyped code, and what to do; undefined: nothing. */
export function codecProblem(value: unknown): string | undefined {
  if (!isCodec(value)) return `a codec must be { id: 16–255, name, encode, decode }, got ${shown(value)}`;
  if (Reflect.get(value, ownKey) !== undefined) return undefined;
  const { id, name } = value;
  if (name === '') return `the codec with id ${id} has no name: topics and errors name a codec by it`;
  if (id < 16) return `codec "${name}" has the id ${id}: 0 to 15 are Millrace's own, choose 16 to 255`;
  const hasOwnName = ownCodecs.some((own) => own.name === name);
  return hasOwnName ? `codec "${name}" (id ${id}) has the name of Millrace's own codec: choose another` : undefined;
}

/** Whether a value has the shape of a codec. */
function isCodec(value: unknown): value is Codec {
  if (typeof value !== 'object' || value === null) return false;
  const { id, name, encode, decode }: Partial<Record<keyof Codec, unknown>> = value;
  const isNamed = typeof id === 'number' && Number.isInteger(id) && id >= 0 && id <= 255 && typeof name === 'string';
  return isNamed && typeof encode === 'function' && typeof decode === 'function';
}

/**
 * Wraps a user's codec and checks its results: encoding must return bytes or a string, decoding must not return a promise. If encoding or
 * decoding several values in one call fails, each value is handled alone. The same codec always gets the same wrapper; Millrace's own
 * codecs are returned as they are.
 *
 * @throws {CodecError} it is not a codec, or has an id or a name of Millrace's own
 */
export function guardedCodec(codec: Codec): Codec {
  const known = guarded.get(codec);
  if (known !== undefined) return known;
  const problem = codecProblem(codec);
  if (problem !== undefined) throw new CodecError(`${problem}.`);
  const ownId: unknown = Reflect.get(codec, ownKey);
  const guard = ownCodecs.find(({ id }) => id === ownId) ?? guardOf(codec);
  guarded.set(codec, guard);
  guarded.set(guard, guard);
  return guard;
}

function guardOf(codec: Codec): Codec {
  const { id, name } = codec;
  const decoded = (value: unknown): unknown => {
    if (isThenable(value)) throw wrongAnswer(`decode of the codec "${name}"`, 'a value', value);
    return value;
  };
  const encode = (value: unknown): Uint8Array | string => {
    const bytes: unknown = codec.encode(value);
    if (typeof bytes === 'string' || bytes instanceof Uint8Array) return bytes;
    throw wrongAnswer(`encode of the codec "${name}"`, 'a Uint8Array or a string', bytes);
  };
  return {
    id,
    name,
    encode,
    decode: (bytes) => decoded(codec.decode(bytes)),
    ...(codec.encodeTexts && { encodeTexts: (values) => together(() => codec.encodeTexts?.(values), values, isText) }),
    ...(codec.decodePart && { decodePart: (bytes, start, end) => decoded(codec.decodePart?.(bytes, start, end)) }),
    ...(codec.decodeText && { decodeText: (text) => decoded(codec.decodeText?.(text)) }),
    ...(codec.decodeTexts && { decodeTexts: (texts) => together(() => codec.decodeTexts?.(texts), texts, isValue) }),
  };
}

/** The results for several values in one call; undefined when that failed: then each value is handled alone. */
function together<T>(
  make: () => unknown,
  of: readonly unknown[],
  accepts: (made: unknown) => made is T,
): T[] | undefined {
  try {
    const made = make();
    if (Array.isArray(made) && made.length === of.length && made.every(accepts)) return made;
    // The rejection of a promise among them must not end the process.
    for (const each of Array.isArray(made) ? made : [made]) if (isThenable(each)) wrongAnswer('', '', each);
  } catch {
    // Handling each value alone shows which one is wrong.
  }
  return undefined;
}

function isText(made: unknown): made is string {
  return typeof made === 'string';
}

function isValue(made: unknown): made is unknown {
  return !isThenable(made);
}
