/** A server, proxy or program that was started and can be stopped; stopping twice is harmless. */
export interface Stoppable {
  /** Resolves when it is gone. */
  stop(): Promise<void>;
}

const started = new Set<Stoppable>();

/** Registers a running object for {@link stopEverything}. */
export function remember<T extends Stoppable>(thing: T): T {
  started.add(thing);
  return thing;
}

export function forget(thing: Stoppable): void {
  started.delete(thing);
}

/** Stops every server, proxy and program that still runs: one line for `afterAll`. */
export async function stopEverything(): Promise<void> {
  await stopTogether(started);
}

/** Starts several simultaneously. If one fails, the others are stopped and the first error is thrown. */
export async function startTogether<T extends Stoppable>(starts: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(starts);
  const running = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failure = results.find((result) => result.status === 'rejected');
  if (failure === undefined) return running;
  await stopTogether(running);
  throw failure.reason;
}

/** Runs work after the start of several; if it fails, all are stopped and its error is thrown. */
export async function orStop<T>(things: readonly Stoppable[], setUp: () => Promise<T>): Promise<T> {
  try {
    return await setUp();
  } catch (error) {
    await stopTogether(things);
    throw error;
  }
}

export async function stopTogether(things: Iterable<Stoppable>): Promise<void> {
  await Promise.all([...things].map((thing) => thing.stop()));
}
