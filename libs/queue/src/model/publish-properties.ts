import {
  type Codec,
  checkedHeaders,
  codecProblem,
  type Headers,
  type HeadersInput,
  InvalidMessageError,
  instead,
  maxNameBytes,
  noHeaders,
  shown,
} from '@millrace/core';
import { noProperties, type StoredProperties } from './message-frame.js';
import { type MessageRetry, messageRetryProblem, storedRetry } from './message-retry.js';
import { routingKeyProblem } from './routing-key.js';

/** The properties of a message besides its body. */
export interface PublishProperties {
  /**
   * At most 255 bytes of whole characters. A second message with the id of one that the queue holds, or has handled within its
   * `deduplicationWindowMs`, counts as a duplicate. Default: a new id.
   */
  readonly messageId?: string | undefined;
  /** Correlates a reply with its request, or the messages of a conversation. Default: none. */
  readonly correlationId?: string | undefined;
  /** The queue to which a reply goes. Default: none. */
  readonly replyTo?: string | undefined;
  /** The application's own type of message. Default: none. */
  readonly type?: string | undefined;
  /**
   * Messages with the same key keep their order in a sharded queue. Default: the `messageId`, if it is set, so that a duplicate is
   * recognised; otherwise the shards are used round-robin. At most 255 bytes.
   */
  readonly shardKey?: string | undefined;
  /** Metadata of the message; names that begin with `millrace-` are reserved, `undefined` values are left out. Default: none. */
  readonly headers?: HeadersInput | undefined;
  /** A whole number from 0, the lowest; clamped to the levels that a queue has. Default 0. */
  readonly priority?: number | undefined;
  /** How long it may wait once it is due, in ms; the queue's limit applies when it is shorter. Default: no limit. */
  readonly expirationMs?: number | undefined;
  /**
   * How long its delivery is delayed, in ms, rounded up; through any exchange. It is routed when it is published.
   * Zero or less: no delay. Default 0.
   */
  readonly delayMs?: number | undefined;
  /**
   * How many times it is retried when its handler fails, and after how long (BullMQ's `attempts`, which includes the first): overrides
   * the policy of its consumer, except its rules for certain errors. Only in queues. Default: the consumer's policy.
   */
  readonly retry?: MessageRetry | undefined;
  /** It must reach a queue or topic: otherwise publishing fails with an UnroutableError. Default false. */
  readonly mandatory?: boolean | undefined;
  /** When the event happened, in ms since 1970. Default: this process's clock. */
  readonly timestamp?: number | undefined;
  /** How the body is encoded. Default: the Broker's codec. */
  readonly codec?: Codec | undefined;
}

/** Properties that were validated. */
export type CheckedProperties = PublishProperties & { readonly headers?: Headers | undefined };

const noPublishProperties: CheckedProperties = Object.freeze({});

const checks: { readonly [K in keyof PublishProperties]-?: (value: unknown) => string | undefined } = {
  messageId: (value) => shortText(value) ?? (value === '' ? 'must not be empty' : undefined),
  correlationId: shortText,
  replyTo: shortText,
  type: shortText,
  shardKey: shortText,
  headers: () => undefined,
  priority: (value) => whole(value, 0, 'a whole number, at least 0'),
  expirationMs: (value) => whole(value, 1, 'a whole number of ms, at least 1'),
  delayMs: (value) =>
    Number.isFinite(value) && Number(value) <= Number.MAX_SAFE_INTEGER
      ? undefined
      : `must be a number of ms (0 or less is now), got ${shown(value)}`,
  retry: messageRetryProblem,
  mandatory: (value) => (typeof value === 'boolean' ? undefined : 'must be true or false'),
  timestamp: (value) => whole(value, 0, 'a whole number of ms since 1970'),
  codec: (value) => {
    const problem = codecProblem(value);
    return problem && `is wrong: ${problem}`;
  },
};

/**
 * Validates what a caller gave; nothing that is missing is filled in, and headers that are `undefined` are left out.
 *
 * @throws {InvalidMessageError} on the first problem
 */
export function checkMessage(
  subject: string,
  routingKey: string,
  properties: PublishProperties = noPublishProperties,
): CheckedProperties {
  const keyProblem = routingKeyProblem(routingKey);
  if (keyProblem !== undefined) throw new InvalidMessageError(`${subject}: ${keyProblem}.`);
  if (properties === noPublishProperties) return noPublishProperties;
  if (typeof properties !== 'object' || properties === null)
    throw new InvalidMessageError(`${subject}: its properties must be an object, got ${shown(properties)}.`);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined) continue;
    const check = Object.hasOwn(checks, name) ? checks[name as keyof PublishProperties] : undefined;
    const problem = check === undefined ? unknownProperty(name) : check(value);
    if (problem !== undefined) throw new InvalidMessageError(`${subject}: ${name} ${problem}.`);
  }
  if (properties.headers === undefined) return properties as CheckedProperties;
  const headers = checkedHeaders(subject, properties.headers);
  return headers === properties.headers ? (properties as CheckedProperties) : { ...properties, headers };
}

function unknownProperty(name: string): string {
  return `is not a property of a message${instead(name, Object.keys(checks))}`;
}

/** The properties that are stored with the message. */
export function storedProperties(properties: CheckedProperties): StoredProperties {
  const { correlationId, replyTo, type, expirationMs, shardKey } = properties;
  const retry = properties.retry === undefined ? undefined : storedRetry(properties.retry);
  if ((correlationId ?? replyTo ?? type ?? expirationMs ?? shardKey ?? retry) === undefined) return noProperties;
  return { correlationId, replyTo, type, expirationMs, shardKey, retry };
}

/** The delay in whole ms; undefined when there is none. */
export function delayOf({ delayMs = 0 }: CheckedProperties): number | undefined {
  return delayMs > 0 ? Math.ceil(delayMs) : undefined;
}

/** A queue has at most ten levels, and a frame has a byte for it. */
export function priorityOf({ priority = 0 }: CheckedProperties): number {
  return Math.min(priority, 255);
}

export function headersOf(properties: CheckedProperties): Headers {
  return properties.headers ?? noHeaders;
}

function shortText(value: unknown): string | undefined {
  if (typeof value !== 'string') return 'must be a string';
  if (Buffer.byteLength(value) > maxNameBytes) return `is longer than ${maxNameBytes} bytes`;
  // In UTF-8 all lone surrogates become the same character: two ids would be one.
  return /\p{Surrogate}/u.test(value) ? 'holds half a surrogate pair, which UTF-8 cannot encode' : undefined;
}

function whole(value: unknown, min: number, what: string): string | undefined {
  return Number.isSafeInteger(value) && Number(value) >= min ? undefined : `must be ${what}, got ${shown(value)}`;
}
