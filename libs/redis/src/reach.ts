import { isInstance, UnavailableError } from '@millrace/core';
import { callError } from './call-error.js';
import type { RedisConnection } from './connection.js';

/** A call to Redis that waits until Redis is there. */
export interface Reaching {
  /** Words that finish "could not …". */
  readonly what: string;
  /** Longest wait for a Redis that is away, in ms. */
  readonly timeoutMs: number;
}

/**
 * Waits until commands can be sent, then calls. The first act of a process comes before its connection is up: it waits for it, as a publish
 * does, instead of failing.
 *
 * @throws {UnavailableError} Redis stayed away for `timeoutMs`, or was lost during the call; or another error of `callError`
 */
export async function reach<T>(
  connection: RedisConnection,
  { what, timeoutMs }: Reaching,
  call: () => Promise<T>,
): Promise<T> {
  try {
    await connection.whenReady(timeoutMs);
  } catch (error) {
    throw couldNot(what, error);
  }
  try {
    return await call();
  } catch (error) {
    throw callError(what, error);
  }
}

/** An `UnavailableError` that says what could not be done; any other error as it is. */
export function couldNot(what: string, error: unknown): unknown {
  if (!isInstance(error, UnavailableError)) return error;
  return new UnavailableError(`could not ${what}: ${error.message}`, { cause: error.cause });
}
