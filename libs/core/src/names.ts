import { OptionsError } from './errors.js';

/** Longest name of a topic, group, exchange or queue, and longest routing key, in UTF-8 bytes (AMQP's shortstr). */
export const maxNameBytes = 255;

const deadLettersSuffix = '.dead-letters';

/**
 * Why `name` cannot name a `kind` of object, or undefined when it can.
 *
 * Names are letters, digits and `.`, `_`, `-`, `/`, `@`, `~`, `+`, at most 255 bytes. Braces would move the Redis
 * Cluster hash tag, and a colon separates the parts of our keys, so neither is allowed.
 */
export function nameProblem(kind: string, name: unknown): string | undefined {
  if (typeof name !== 'string') return `${kind} name must be a string, got ${describe(name)}`;
  if (name === '') return `${kind} name is empty`;
  if (Buffer.byteLength(name) > maxNameBytes) return `${kind} name "${name.slice(0, 40)}…" is longer than 255 bytes`;
  if (!/^[A-Za-z0-9._\-/@~+]+$/.test(name)) {
    return `${kind} name ${JSON.stringify(name)} may only hold letters, digits and . _ - / @ ~ +`;
  }
  return undefined;
}

/** What the topic or queue is called that keeps the dead letters of one that names no place for them. */
export function deadLettersOf(name: string): string {
  return `${name}${deadLettersSuffix}`;
}

/** Whether something is called as what keeps the dead letters of another. */
export function keepsDeadLetters(name: string): boolean {
  return name.endsWith(deadLettersSuffix);
}

/** What it keeps the dead letters of; only for what `keepsDeadLetters`. */
export function sourceOfDeadLetters(name: string): string {
  return name.slice(0, -deadLettersSuffix.length);
}

/** Throws an OptionsError unless `name` may name a `kind` of object. */
export function assertName(kind: string, name: unknown): asserts name is string {
  const problem = nameProblem(kind, name);
  if (problem !== undefined) throw new OptionsError(kind, [problem]);
}

function describe(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value;
}
