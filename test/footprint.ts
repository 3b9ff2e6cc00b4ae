import type { EventEmitter } from 'node:events';
import { expect } from '@jest/globals';
import { waitFor } from '@millrace/testing';

/** What a service may leave behind when it is over. */
interface Surroundings {
  /** Sees every key of the server. */
  readonly admin: { keys(pattern: string): Promise<string[]>; pttl(key: string): Promise<number> };
  /** What a service adds its listeners to. */
  readonly emitters?: readonly Pick<EventEmitter, 'eventNames' | 'listenerCount'>[];
}

/** How often each service lives: what is left once may be what is kept for the next time, what grows is a leak. */
const lives = 3;

/**
 * Expects a life of a service (its start, its work, its end) to leave nothing behind: no key without an expiry, no listener, no timer
 * and no handle that keeps the process alive. The first life warms up what is made once, and is not compared.
 */
export async function expectNothingLeftBy(life: () => Promise<void>, surroundings: Surroundings): Promise<void> {
  await life();
  const before = await settled(surroundings);
  for (let time = 0; time < lives; time++) await life();
  await waitFor(async () => (await footprint(surroundings)) === before, { what: 'the footprint of one life' }).catch(
    async () => expect(await footprint(surroundings)).toBe(before),
  );
}

/** The footprint once two looks agree: sockets take a moment to close. */
async function settled(surroundings: Surroundings): Promise<string> {
  let last = await footprint(surroundings);
  await waitFor(
    async () => {
      const now = await footprint(surroundings);
      const isSame = now === last;
      last = now;
      return isSame;
    },
    { what: 'sockets to close', intervalMs: 100 },
  );
  return last;
}

async function footprint({ admin, emitters = [] }: Surroundings): Promise<string> {
  const expiries = await Promise.all((await admin.keys('*')).map((key) => admin.pttl(key)));
  const keys = expiries.filter((ms) => ms === -1).length;
  const listeners = [...emitters, process].map((emitter) =>
    countsOf(emitter.eventNames().flatMap((name) => Array(emitter.listenerCount(name)).fill(String(name)))),
  );
  const handles = countsOf(process.getActiveResourcesInfo());
  return JSON.stringify({ keys, listeners, handles }, null, 1);
}

function countsOf(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of [...names].sort()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
