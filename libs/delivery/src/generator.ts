/** The result of a handler written as `async function*` or `function*`: none of its code has run yet. */
export type HandlerGenerator = AsyncGenerator<unknown> | Generator<unknown>;

/** Whether a handler's result is a generator. Other iterables (a stream, a cursor) may have another reader. */
export function isGenerator(result: unknown): result is HandlerGenerator {
  if (typeof result !== 'object' || result === null) return false;
  try {
    const tag: unknown = Reflect.get(result, Symbol.toStringTag);
    return tag === 'AsyncGenerator' || tag === 'Generator';
  } catch {
    // A getter or a proxy of the user's object threw.
    return false;
  }
}

/**
 * Runs a handler's generator to its end and discards the values: a message that is not a request has no requester. It stops at the next
 * `yield` after the signal was aborted.
 *
 * @throws the generator's error, or the reason of the aborted `signal`
 */
export async function runToEnd(generator: HandlerGenerator, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  for await (const _item of generator) signal.throwIfAborted();
}
