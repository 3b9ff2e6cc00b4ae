/**
 * Sends in one call what is given in one turn of the event loop: batching as a user would write it by hand, for who leaves
 * it to them.
 */
export function oneCallATurn<T>(
  send: (items: readonly T[]) => Promise<unknown>,
): (items: readonly T[]) => Promise<void> {
  let waiting: Waiting<T>[] = [];
  const flush = (): void => {
    const batch = waiting;
    waiting = [];
    send(batch.flatMap(({ items }) => items)).then(
      () => {
        for (const { resolve } of batch) resolve();
      },
      (error: unknown) => {
        for (const { reject } of batch) reject(error);
      },
    );
  };
  return (items) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(flush);
      waiting.push({ items, resolve, reject });
    });
}

interface Waiting<T> {
  readonly items: readonly T[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}
