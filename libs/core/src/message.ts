import type { ByteReader } from './byte-reader.js';
import type { ByteWriter } from './byte-writer.js';
import { CodecError, InvalidMessageError } from './errors.js';

/** A header's value. Comparison is type-strict, as in AMQP: `"1"` is not `1`. */
export type HeaderValue = string | number | boolean | null;

/** Facts about a message beside its payload. Names that start with `millrace-` are reserved. */
export type Headers = Readonly<Record<string, HeaderValue>>;

/** Headers that only Millrace writes start so. */
export const reservedHeaderPrefix = 'millrace-';

/** What a message without headers has. */
export const noHeaders: Headers = Object.freeze({});

/**
 * Checks the headers that a user gave; `subject` begins the error's message.
 *
 * @throws {InvalidMessageError} a name is reserved, or a value is none that a header can have
 */
export function assertHeaders(subject: string, headers: Headers): void {
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(reservedHeaderPrefix)) {
      throw new InvalidMessageError(`${subject}: header "${name}" is reserved. Use a name without "millrace-".`);
    }
    if (value !== null && typeof value !== 'string' && typeof value !== 'boolean' && !Number.isFinite(value)) {
      throw new InvalidMessageError(`${subject}: header "${name}" must be a text, a number, true, false or null.`);
    }
  }
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

/** Reads what `writeHeaders` wrote. @throws {CodecError} on bytes that `writeHeaders` did not write */
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
