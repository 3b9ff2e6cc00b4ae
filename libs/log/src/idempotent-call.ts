import { MillraceError, pause, startTimer, stopTimer, type Timer, UnavailableError } from '@millrace/core';
import { callError, couldNot, type RedisClient, type RedisConnection, redisFailure } from '@millrace/redis';

/** How long calls outside the path of messages wait for Redis, in ms, unless configured otherwise. */
export const defaultCallTimeoutMs = 10_000;

/**
 * Runs a call that may safely run twice: while Redis is unreachable it is repeated, until `timeoutMs` have passed.
 *
 * @param what completes the sentence "could not …"
 * @throws {UnavailableError} Redis did not reply in time
 */
export async function idempotently<T>(
  connection: RedisConnection,
  what: string,
  call: (client: RedisClient) => Promise<T>,
  timeoutMs = defaultCallTimeoutMs,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (let attempt = 1; ; attempt++) {
    try {
      await connection.whenReady(Math.max(0, deadline - performance.now()));
      return await within(deadline, call(connection.commands));
    } catch (error) {
      if (error instanceof MillraceError) throw couldNot(what, error);
      const failure = redisFailure(error);
      if (!failure.isTemporary) throw callError(what, error);
      const restMs = Math.min(20 * 2 ** attempt, 500);
      if (performance.now() + restMs >= deadline) {
        const message = `could not ${what}: ${failure.description}. Tried for ${timeoutMs} ms.`;
        throw new UnavailableError(message, { cause: error });
      }
      await pause(restMs);
    }
  }
}

/** A frozen server does not reply; this ends the wait when the caller's time is up. */
async function within<T>(deadline: number, reply: Promise<T>): Promise<T> {
  let timer: Timer | undefined;
  const overdue = new Promise<never>((_, reject) => {
    const giveUp = () => reject(new UnavailableError('Redis does not reply.'));
    timer = startTimer(giveUp, Math.max(0, deadline - performance.now()));
  });
  try {
    return await Promise.race([reply, overdue]);
  } finally {
    stopTimer(timer);
    reply.catch(() => undefined);
  }
}
