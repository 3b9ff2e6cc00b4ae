/** How a pump ran. */
export interface Pumped {
  /** Calls that were answered within the window. */
  readonly count: number;
  readonly seconds: number;
  /** All calls, those of the warm-up included: their indices are 0 … `calls` − 1. */
  readonly calls: number;
  /** The highest number of calls in flight. */
  readonly inFlight: number;
}

/**
 * Keeps `inFlight` calls in flight, as that many callers would who each await their own, and counts the answers
 * of the window that follows the warm-up.
 *
 * @throws {Error} when there was none
 */
export async function pump(
  call: (index: number) => Promise<unknown>,
  { inFlight, warmUpMs, windowMs }: { inFlight: number; warmUpMs: number; windowMs: number },
): Promise<Pumped> {
  const start = performance.now() + warmUpMs;
  const end = start + windowMs;
  let next = 0;
  let running = 0;
  let mostRunning = 0;
  let count = 0;
  let last = start;
  const caller = async (): Promise<void> => {
    for (;;) {
      mostRunning = Math.max(mostRunning, ++running);
      await call(next++);
      running--;
      const now = performance.now();
      if (now >= end) return;
      if (now < start) continue;
      count++;
      last = now;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
  if (count === 0)
    throw new Error(`no call was answered within ${windowMs} ms: the window is too short for this machine`);
  return { count, seconds: (last - start) / 1000, calls: next, inFlight: mostRunning };
}
