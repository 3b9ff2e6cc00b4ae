/** Something that was started and can be stopped; stopping twice is harmless. */
export interface Stoppable {
  /** Resolves when it is gone. */
  stop(): Promise<void>;
}

const started = new Set<Stoppable>();

/** Takes note of something that runs, for {@link stopEverything}. */
export function remember<T extends Stoppable>(thing: T): T {
  started.add(thing);
  return thing;
}

export function forget(thing: Stoppable): void {
  started.delete(thing);
}

/** Stops every server, proxy and program that was started and not stopped yet: one line for `afterAll`. */
export async function stopEverything(): Promise<void> {
  await stopTogether(started);
}

/** Starts several at once. When one fails the others are stopped, and the first error is thrown. */
export async function startTogether<T extends Stoppable>(starts: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(starts);
  const running = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failure = results.find((result) => result.status === 'rejected');
  if (failure === undefined) return running;
  await stopTogether(running);
  throw failure.reason;
}

/** Runs what must be done after the start of several; when it fails, all are stopped and its error is thrown. */
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
