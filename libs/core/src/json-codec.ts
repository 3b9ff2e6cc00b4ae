import type { Codec } from './codec.js';

/** Faster forms of `encode` and `decode`. */
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
// Not enumerable: for a codec made by `{ ...jsonCodec, decode }` its own `decode` must be called.
for (const [name, value] of Object.entries(faster)) Object.defineProperty(jsonCodec, name, { value });

/**
 * Parses objects as one array, which takes two thirds of the time (docs/decisions/0008). The result must be the same as for each string
 * alone: every string begins as an object, none can end one and begin another except within a string literal, and there are as many
 * objects as strings, so each string is exactly one object.
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

/** Whether a string begins and ends as an object, and each `}` within is followed by `}`, `]` or `,"`. */
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
/** Below this number, encoding them in one call costs more than it saves. */
const fewestTogether = 4;

/**
 * Encodes an array of objects as one string and splits it, which takes half the time. The split is right when the string has exactly one
 * boundary between each two objects; values with lists of objects have more.
 */
function stringifyObjects(values: readonly unknown[]): string[] | undefined {
  if (values.length < fewestTogether || !values.every(isObjectInJson)) return undefined;
  try {
    // The others most likely look like the first.
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

/** Whether JSON encodes it as an object, not as a string, a number or a list. */
function isObjectInJson(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || 'toJSON' in value) return false;
  // Object(1), or a result of JSON.rawJSON, which has no prototype.
  const isBoxed =
    value instanceof Number || value instanceof String || value instanceof Boolean || value instanceof BigInt;
  return !isBoxed && Object.getPrototypeOf(value) !== null;
}
