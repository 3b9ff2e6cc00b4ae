/** What a handler returns that is written as `async function*` or `function*`: nothing of it has run yet. */
export type HandlerGenerator = AsyncGenerator<unknown> | Generator<unknown>;

/** Whether a handler's result is a generator. Other iterables (a stream, a cursor) may have another reader. */
export function isGenerator(result: unknown): result is HandlerGenerator {
  if (typeof result !== 'object' || result === null) return false;
  try {
    const tag: unknown = Reflect.get(result, Symbol.toStringTag);
    return tag === 'AsyncGenerator' || tag === 'Generator';
  } catch {
    // A getter or a proxy of the user's own.
    return false;
  }
}

/**
 * Runs a handler's generator to its end and drops what it yields: a message that is no request has no requester. It ends
 * at the next `yield` after the signal was aborted.
 *
 * @throws what the generator throws, or what `signal` was aborted with
 */
export async function runToEnd(generator: HandlerGenerator, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  for await (const _item of generator) signal.throwIfAborted();
}
