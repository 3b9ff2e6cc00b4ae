import { setTimeout as sleep } from 'node:timers/promises';
import { isInstance } from '@millrace/core';

/** The options of {@link waitFor}. */
export interface WaitOptions {
  /** Describes the condition, as words that finish "waited for …". */
  readonly what: string;
  /** How long to wait, in milliseconds. Default 20 000: long enough for a slow machine, and without cost when the condition is met. */
  readonly timeoutMs?: number;
  /** Pause between two checks, in milliseconds. Default 10. */
  readonly intervalMs?: number;
}

/**
 * Calls `predicate` repeatedly until it returns a truthy value, and resolves to that. A predicate that throws counts as "not yet".
 *
 * @throws {Error} the time is over; the message has the condition and the last value (or the last error, as `cause`)
 */
export async function waitFor<T>(predicate: () => T | Promise<T>, options: WaitOptions): Promise<NonNullable<T>> {
  const { what, timeoutMs = 20_000, intervalMs = 10 } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const look = await lookAt(predicate);
    if (look.kind === 'answer' && look.value) return look.value;
    if (performance.now() >= deadline) throw timeoutError(what, timeoutMs, look);
    await sleep(intervalMs);
  }
}

type Look<T> = { kind: 'answer'; value: T } | { kind: 'error'; error: unknown };

async function lookAt<T>(predicate: () => T | Promise<T>): Promise<Look<T>> {
  try {
    return { kind: 'answer', value: await predicate() };
  } catch (error) {
    return { kind: 'error', error };
  }
}

function timeoutError(what: string, timeoutMs: number, last: Look<unknown>): Error {
  if (last.kind === 'answer') {
    return new Error(`waited ${timeoutMs} ms for ${what}; the last value was ${String(last.value)}`);
  }
  const reason = isInstance(last.error, Error) ? last.error.message : String(last.error);
  return new Error(`waited ${timeoutMs} ms for ${what}; the last check failed: ${reason}`, { cause: last.error });
}
