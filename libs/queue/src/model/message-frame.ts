import { ByteReader, ByteWriter, CodecError, type Headers, noHeaders, readHeaders, writeHeaders } from '@millrace/core';
import { type Death, parseDeaths } from './death.js';
import { type MessageRetry, retryHeader, takeRetry } from './message-retry.js';

/** A message as stored in a queue, its body still encoded. */
export interface StoredMessage {
  /** The id it was published with; undefined: its entry is its id. */
  readonly id?: string | undefined;
  /** 0 is lowest. */
  readonly priority: number;
  /** Id of the codec that wrote the body. */
  readonly codecId: number;
  /** When it was published, in ms since 1970. */
  readonly timestamp: number;
  /** The exchange it was published to; the default exchange is `''`. */
  readonly exchange: string;
  /** The key it was published with. */
  readonly routingKey: string;
  /** The headers it was published with. */
  readonly headers: Headers;
  /** The properties that the publisher set. */
  readonly properties: StoredProperties;
  /** Newest first. */
  readonly deaths: readonly Death[];
  /** A view of the frame's bytes. */
  readonly body: Buffer;
}

/** The optional properties of a message that have a meaning for Millrace. */
export interface StoredProperties {
  /** Correlates a reply with its request. */
  readonly correlationId?: string | undefined;
  /** Where the reply to a request goes. */
  readonly replyTo?: string | undefined;
  /** The application's own type of message. */
  readonly type?: string | undefined;
  /** Determines its shard in a sharded queue. */
  readonly shardKey?: string | undefined;
  /** Time until it expires after publishing, in ms. */
  readonly expirationMs?: number | undefined;
  /** How it is retried. */
  readonly retry?: MessageRetry | undefined;
}

/** What a frame is made of. */
export type FrameInput = Omit<StoredMessage, 'body' | 'deaths'> & {
  readonly deaths?: readonly Death[] | undefined;
  readonly body: Uint8Array | string;
};

export const noProperties: StoredProperties = Object.freeze({});

const noDeaths: readonly Death[] = Object.freeze([]);

const frameVersion = 2;

/** Which parts a frame has: an empty part takes no bytes. */
const parts = { route: 1, headers: 2, properties: 4, deaths: 8, id: 16 } as const;
const propertyParts = { correlationId: 1, replyTo: 2, type: 4, expirationMs: 8, shardKey: 16 } as const;

/**
 * version, priority, codec, flags; [length of the id, id]; timestamp; [exchange, routing key]; [headers]; [properties]; [deaths];
 * body (the rest).
 *
 * The priority is always the second byte, and an id begins at the fifth, so that scripts can read both. A message that was sent straight
 * to `queue` has neither exchange nor routing key: its frame takes only ten bytes more than its body.
 */
export function encodeFrame(message: FrameInput, queue?: string): Buffer {
  const { id, exchange, routingKey, properties, deaths, body } = message;
  const { retry } = properties;
  const headers = retry === undefined ? message.headers : { ...message.headers, [retryHeader]: JSON.stringify(retry) };
  const isDirect = exchange === '' && routingKey === queue;
  const hasHeaders = hasKeys(headers);
  const propertyFlags = flagsOf(properties);
  const history = deaths === undefined || deaths.length === 0 ? '' : JSON.stringify(deaths);
  const bodyBytes = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  const routeBytes = isDirect ? 0 : 3 * (exchange.length + routingKey.length);
  const writer = new ByteWriter(bodyBytes + routeBytes + history.length + (id?.length ?? 0) + 20);
  writer.byte(frameVersion).byte(message.priority).byte(message.codecId);
  writer.byte(
    (id === undefined ? 0 : parts.id) |
      (isDirect ? 0 : parts.route) |
      (hasHeaders ? parts.headers : 0) |
      (propertyFlags === 0 ? 0 : parts.properties) |
      (history === '' ? 0 : parts.deaths),
  );
  if (id !== undefined) {
    const bytes = Buffer.from(id);
    writer.byte(bytes.length).raw(bytes);
  }
  writer.varint(message.timestamp);
  if (!isDirect) {
    writer.block(exchange);
    writer.block(routingKey);
  }
  if (hasHeaders) writeHeaders(writer, headers);
  if (propertyFlags !== 0) writeProperties(writer, properties, propertyFlags);
  if (history !== '') writer.block(history);
  if (typeof body === 'string') writer.text(body, bodyBytes);
  else writer.raw(body);
  return writer.finish();
}

/** What `encodeFrame` writes before the body of a message that has only a body, as a string of one byte per character. */
export function plainHead(priority: number, codecId: number, timestamp: number): string {
  let head = String.fromCharCode(frameVersion, priority, codecId, 0);
  let rest = timestamp;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) head += String.fromCharCode((rest % 0x80) | 0x80);
  return head + String.fromCharCode(rest);
}

/** Reads a frame that stood in `queue`. @throws {CodecError} on bytes that `encodeFrame` did not write */
export function decodeFrame(frame: Buffer, queue: string): StoredMessage {
  const reader = new ByteReader(frame);
  const version = reader.byte();
  if (version !== frameVersion) {
    const cure = version > frameVersion ? 'Upgrade it' : 'An older Millrace wrote it';
    throw new CodecError(`message has format version ${version}; this Millrace reads ${frameVersion}. ${cure}.`);
  }
  const priority = reader.byte();
  const codecId = reader.byte();
  const flags = reader.byte();
  const id = (flags & parts.id) === 0 ? undefined : readId(reader);
  const timestamp = reader.varint();
  const hasRoute = (flags & parts.route) !== 0;
  const exchange = hasRoute ? reader.text() : '';
  const routingKey = hasRoute ? reader.text() : queue;
  const headers = (flags & parts.headers) === 0 ? noHeaders : readHeaders(reader);
  const properties = (flags & parts.properties) === 0 ? noProperties : readProperties(reader);
  const deaths = (flags & parts.deaths) === 0 ? noDeaths : readDeaths(reader);
  const message = {
    ...(id === undefined ? {} : { id }),
    priority,
    codecId,
    timestamp,
    exchange,
    routingKey,
    headers,
    properties,
    deaths,
    body: reader.rest(),
  };
  return headers[retryHeader] === undefined ? message : withRetry(message);
}

function withRetry(message: StoredMessage): StoredMessage {
  const found = takeRetry(message.headers);
  if (found === undefined) return message;
  const { headers, retry } = found;
  return { ...message, headers, properties: { ...message.properties, retry } };
}

/** Whether a newer Millrace wrote a frame: in one of the next versions. Bytes beyond are damage, which no version can read. */
export function isOfNewerVersion(frame: Uint8Array): boolean {
  const [version = 0] = frame;
  return version > frameVersion && version <= frameVersion + 3;
}

/** The longest possible head of a frame, in bytes. */
export const maxHeadBytes = 270;

/** When a message was published, read from the head of its frame. @throws {CodecError} */
export function frameTimestamp(head: Buffer): number {
  if (head[0] !== frameVersion) throw new CodecError('a message has an unknown format version. Upgrade Millrace.');
  const hasId = ((head[3] ?? 0) & parts.id) !== 0;
  return new ByteReader(head, hasId ? 5 + (head[4] ?? 0) : 4).varint();
}

function flagsOf(properties: StoredProperties): number {
  if (properties === noProperties) return 0;
  return (
    (properties.correlationId === undefined ? 0 : propertyParts.correlationId) |
    (properties.replyTo === undefined ? 0 : propertyParts.replyTo) |
    (properties.type === undefined ? 0 : propertyParts.type) |
    (properties.expirationMs === undefined ? 0 : propertyParts.expirationMs) |
    (properties.shardKey === undefined ? 0 : propertyParts.shardKey)
  );
}

function writeProperties(writer: ByteWriter, properties: StoredProperties, flags: number): void {
  writer.byte(flags);
  if (properties.correlationId !== undefined) writer.block(properties.correlationId);
  if (properties.replyTo !== undefined) writer.block(properties.replyTo);
  if (properties.type !== undefined) writer.block(properties.type);
  if (properties.expirationMs !== undefined) writer.varint(properties.expirationMs);
  if (properties.shardKey !== undefined) writer.block(properties.shardKey);
}

function readProperties(reader: ByteReader): StoredProperties {
  const flags = reader.byte();
  const properties: { -readonly [K in keyof StoredProperties]: StoredProperties[K] } = {};
  if (flags & propertyParts.correlationId) properties.correlationId = reader.text();
  if (flags & propertyParts.replyTo) properties.replyTo = reader.text();
  if (flags & propertyParts.type) properties.type = reader.text();
  if (flags & propertyParts.expirationMs) properties.expirationMs = reader.varint();
  if (flags & propertyParts.shardKey) properties.shardKey = reader.text();
  return properties;
}

function readId(reader: ByteReader): string {
  return reader.raw(reader.byte()).toString();
}

function readDeaths(reader: ByteReader): readonly Death[] {
  const deaths = parseDeaths(reader.text());
  if (deaths === undefined) throw new CodecError('the death history of a message cannot be read');
  return deaths;
}

function hasKeys(object: object): boolean {
  for (const _ in object) return true;
  return false;
}
