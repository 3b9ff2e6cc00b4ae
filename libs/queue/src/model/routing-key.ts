import { maxNameBytes } from '@millrace/core';

/** Why a value cannot be a routing key; undefined when it can: at most 255 bytes of UTF-8 (AMQP's shortstr). */
export function routingKeyProblem(key: unknown): string | undefined {
  if (typeof key !== 'string') return `routing key must be a string, got ${key === null ? 'null' : typeof key}`;
  if (key.length * 3 > maxNameBytes && Buffer.byteLength(key) > maxNameBytes) {
    return `routing key "${key.slice(0, 40)}…" is longer than ${maxNameBytes} bytes`;
  }
  // Half of a surrogate pair has no UTF-8: two different keys would be stored as the same bytes.
  if (/\p{Surrogate}/u.test(key)) return 'routing key holds half a surrogate pair, which UTF-8 cannot encode';
  return undefined;
}
