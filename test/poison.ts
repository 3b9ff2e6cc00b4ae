/**
 * A consumer's options with a validator that never settles for the payload `poison`, and deadlines that give it up soon.
 * `validated` has what the validator was called with.
 */
export function validatorStuckAtPoison() {
  const validated: unknown[] = [];
  const options = {
    concurrency: 1,
    handlerTimeoutMs: 200,
    abortGraceMs: 10,
    retry: { maxRetries: 1, backoff: 1 },
    validate: (payload: unknown): unknown => {
      validated.push(payload);
      return payload === 'poison' ? new Promise(() => undefined) : undefined;
    },
  };
  return { validated, options };
}

/** A handler of single messages, or of batches, that adds every payload to `handled`. */
export function handlerInto(handled: unknown[], kind: string) {
  return kind === 'batch'
    ? {
        batchHandler: (batch: readonly { readonly payload: unknown }[]) =>
          void handled.push(...batch.map(({ payload }) => payload)),
      }
    : { handler: (payload: unknown) => void handled.push(payload) };
}
