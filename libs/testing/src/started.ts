/** Something that was started and can be stopped; stopping twice is harmless. */
export interface Stoppable {
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
  await Promise.all([...started].map((thing) => thing.stop()));
}
