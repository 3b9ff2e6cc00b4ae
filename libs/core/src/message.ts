import type { ByteReader } from './byte-reader.js';
import type { ByteWriter } from './byte-writer.js';
import { CodecError, InvalidMessageError } from './errors.js';

/** A header's value. Comparison is type-strict, as in AMQP: `"1"` is not `1`. */
export type HeaderValue = string | number | boolean | null;

/** Metadata of a message, apart from its payload. Names that start with `millrace-` are reserved. */
export type Headers = Readonly<Record<string, HeaderValue>>;

/** The prefix of headers that only Millrace writes. */
export const reservedHeaderPrefix = 'millrace-';

/** The headers of a message without headers: one shared object. */
export const noHeaders: Headers = Object.freeze({});

/** Headers as a caller may write them: one whose value is `undefined` is left out. */
export type HeadersInput = Readonly<Record<string, HeaderValue | undefined>>;

/**
 * Checks the headers that a user gave; `subject` begins the error's message. Returns them without those that are `undefined`: the same
 * object where none is.
 *
 * @throws {InvalidMessageError} they are not a plain object, a name is reserved, or a value has a type that headers cannot have
 */
export function checkedHeaders(subject: string, headers: HeadersInput): Headers {
  assertPlain(subject, headers);
  let hasUndefined = false;
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(reservedHeaderPrefix)) {
      throw new InvalidMessageError(`${subject}: header "${name}" is reserved. Use a name without "millrace-".`);
    }
    if (value === undefined) hasUndefined = true;
    else if (value !== null && typeof value !== 'string' && typeof value !== 'boolean' && !Number.isFinite(value)) {
      throw new InvalidMessageError(`${subject}: header "${name}" must be a string, a number, true, false or null.`);
    }
  }
  return hasUndefined ? withoutUndefined(headers) : (headers as Headers);
}

/** Whether headers are a plain object: a Map, a `Headers` of fetch or a list would look empty, or have other names. */
export function isHeadersObject(headers: unknown): headers is HeadersInput {
  return typeof headers === 'object' && headers !== null && !(Symbol.iterator in headers);
}

function assertPlain(subject: string, headers: unknown): void {
  if (isHeadersObject(headers)) return;
  const advice =
    typeof headers === 'object' && headers !== null && !Array.isArray(headers)
      ? ' Write Object.fromEntries(headers).'
      : '';
  throw new InvalidMessageError(
    `${subject}: headers must be an object of names and values, got ${describe(headers)}.${advice}`,
  );
}

function describe(given: unknown): string {
  if (given === null) return 'null';
  if (Array.isArray(given)) return 'an array';
  return `a ${typeof given === 'object' ? (given.constructor?.name ?? 'list') : typeof given}`;
}

function withoutUndefined(headers: HeadersInput): Headers {
  return Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, HeaderValue] => entry[1] !== undefined),
  );
}

const tags = { null: 0, false: 1, true: 2, text: 3, number: 4 } as const;

/** Count, then for each header its name, a tag and its value. */
export function writeHeaders(writer: ByteWriter, headers: Headers): void {
  const names = Object.keys(headers);
  writer.varint(names.length);
  for (const name of names) {
    const value = headers[name] ?? null;
    writer.block(name);
    if (typeof value === 'string') writer.byte(tags.text).block(value);
    else if (typeof value === 'number') writer.byte(tags.number).float64(value);
    else writer.byte(value === null ? tags.null : value ? tags.true : tags.false);
  }
}

/** Reads what `writeHeaders` wrote. @throws {CodecError} the bytes are not from `writeHeaders` */
export function readHeaders(reader: ByteReader): Headers {
  const count = reader.varint();
  if (count === 0) return noHeaders;
  const headers: Record<string, HeaderValue> = Object.create(null);
  for (let index = 0; index < count; index++) headers[reader.text()] = readValue(reader);
  return headers;
}

function readValue(reader: ByteReader): HeaderValue {
  const tag = reader.byte();
  switch (tag) {
    case tags.null:
      return null;
    case tags.false:
      return false;
    case tags.true:
      return true;
    case tags.text:
      return reader.text();
    case tags.number:
      return reader.float64();
    default:
      throw new CodecError(`a header has the unknown tag ${tag}`);
  }
}
