import { Redis } from 'ioredis';
import { type Place, urlOf } from './place.js';

/** The command that held Redis the longest while something was done. */
export interface LongestCommand {
  /** By the wall clock of Redis: on a busy machine the scheduler's pauses are in it. */
  readonly ms: number;
  /** Its name and first key; of a script the beginning of its SHA-1. */
  readonly command: string;
}

type Entry = readonly [id: number, at: number, micros: number, args: readonly string[], address: string, name: string];

const ourName = 'bench-watch';
/** An entry keeps some kB of its arguments. */
const maxEntries = 10_000;
const collectEveryMs = 100;
/** What is shorter is not looked at: so many commands fit between two looks that they would push out the longest. */
const leastMicros = 20;

/**
 * Watches `SLOWLOG` while `act` runs. It is read again and again, and Redis notes only what was longer than the longest so far: a million commands
 * leave some dozens of entries.
 *
 * @throws {Error} what `act` throws, or that there were more entries than Redis keeps
 */
export async function longestCommand(place: Place, act: () => Promise<unknown>): Promise<LongestCommand> {
  const client = new Redis(urlOf(place, 'redis'), { connectionName: ourName });
  let longest: LongestCommand = { ms: leastMicros / 1000, command: `none took more than ${leastMicros} µs` };
  const collect = async (): Promise<void> => {
    const entries = (await client.slowlog('GET', maxEntries)) as Entry[];
    if (entries.length >= maxEntries)
      throw new Error(`SLOWLOG had ${maxEntries} entries, and may have lost the longest`);
    for (const [, , micros, args, , name] of entries) {
      if (name !== ourName && micros / 1000 > longest.ms) longest = { ms: micros / 1000, command: describe(args) };
    }
    await client.config('SET', 'slowlog-log-slower-than', Math.floor(longest.ms * 1000));
  };
  try {
    await client.config('SET', 'slowlog-max-len', maxEntries);
    await client.config('SET', 'slowlog-log-slower-than', leastMicros);
    await client.slowlog('RESET');
    let isOver = false;
    const acting = act().finally(() => {
      isOver = true;
    });
    acting.catch(() => {});
    while (!isOver) {
      await Promise.race([acting.catch(() => {}), new Promise((resolve) => setTimeout(resolve, collectEveryMs))]);
      await collect();
    }
    await acting;
    return longest;
  } finally {
    await client.config('SET', 'slowlog-log-slower-than', -1);
    client.disconnect();
  }
}

/** `EVALSHA 1a2b3c4d {queue:bench}:messages`: name, script, first key. */
function describe([command = '', script = '', , key = '']: readonly string[]): string {
  const name = command.toUpperCase();
  if (!name.startsWith('EVAL')) return `${name} ${script}`;
  return `${name} ${name.startsWith('EVALSHA') ? script.slice(0, 8) : '(whole)'} ${key}`;
}

/** The longest command of each of several operations. */
export class LongestCommands {
  readonly #place: Place;
  readonly byOperation: Record<string, LongestCommand> = {};

  constructor(place: Place) {
    this.#place = place;
  }

  /** Measures `act` as the operation of that name. */
  readonly during = async (operation: string, act: () => Promise<unknown>): Promise<void> => {
    this.byOperation[operation] = await longestCommand(this.#place, act);
  };
}
