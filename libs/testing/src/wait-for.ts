import { setTimeout as sleep } from 'node:timers/promises';

/** What {@link waitFor} waits for, and how long. */
export interface WaitOptions {
  /** What is waited for, as words that finish "waited for …". */
  readonly what: string;
  /** How long to wait, in milliseconds. Default 20 000: long enough for a slow machine, it costs nothing when all is well. */
  readonly timeoutMs?: number;
  /** Pause between two looks, in milliseconds. Default 10. */
  readonly intervalMs?: number;
}

/**
 * Looks at `predicate` again and again until it answers something truthy, and returns that.
 * A predicate that throws counts as "not yet".
 *
 * @throws {Error} when the time is over: it says what was waited for, and the last answer (or `cause`, the last error)
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
    return new Error(`waited ${timeoutMs} ms for ${what}; the last answer was ${String(last.value)}`);
  }
  const reason = last.error instanceof Error ? last.error.message : String(last.error);
  return new Error(`waited ${timeoutMs} ms for ${what}; the last look failed: ${reason}`, { cause: last.error });
}
