import type { Codec } from './codec.js';

/** `encode` and `decode` for many values, or for less work. */
const faster: Pick<Codec, 'encodeTexts' | 'decodePart' | 'decodeText' | 'decodeTexts'> = {
  encodeTexts: stringifyObjects,
  decodePart: (bytes, start, end): unknown => JSON.parse(bytes.toString('utf8', start, end)),
  decodeText: (text): unknown => JSON.parse(text),
  decodeTexts: parseObjects,
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
};
// Not enumerable: a codec that is made of this one by `{ ...jsonCodec, decode }` must not be decoded past its `decode`.
for (const [name, value] of Object.entries(faster)) Object.defineProperty(jsonCodec, name, { value });

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

const boundary = '},{';
/** Below, what it takes to encode them together is more than what it saves. */
const fewestTogether = 4;

/**
 * Makes one text of an array of objects and takes it apart, which takes half the time. It comes apart between the objects
 * and nowhere else when it has as many boundaries as there must be; values with lists of objects have more.
 */
function stringifyObjects(values: readonly unknown[]): string[] | undefined {
  if (values.length < fewestTogether || !values.every(isObjectInJson)) return undefined;
  try {
    // What the first is like, the others are likely to be.
    if (JSON.stringify(values[0])?.includes(boundary)) return undefined;
    return takeApart(JSON.stringify(values), values.length);
  } catch {
    return undefined;
  }
}

function takeApart(text: string, count: number): string[] | undefined {
  const texts: string[] = [];
  let start = 1;
  for (let end = text.indexOf(boundary); end >= 0; end = text.indexOf(boundary, end + boundary.length)) {
    texts.push(text.slice(start, end + 1));
    start = end + 2;
  }
  texts.push(text.slice(start, -1));
  return texts.length === count ? texts : undefined;
}

/** Whether JSON has an object for it, not a text, a number or a list. */
function isObjectInJson(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || 'toJSON' in value) return false;
  // Object(1), or what JSON.rawJSON made, which has no prototype.
  const isBoxed =
    value instanceof Number || value instanceof String || value instanceof Boolean || value instanceof BigInt;
  return !isBoxed && Object.getPrototypeOf(value) !== null;
}
