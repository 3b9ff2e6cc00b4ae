import type { RedisClient, Script, ScriptCall } from '@millrace/redis';

/** How one kind of object is read: by one script call each. */
export interface Reading<T, R> {
  readonly script: Script;
  call(item: T): ScriptCall;
  /** Undefined: there is no such object. */
  read(reply: unknown, item: T): R | undefined;
  /** Which object it is, in words. */
  describe(item: T): string;
}

/** Calls that are written at once: enough to keep the pipe full, few enough that other commands get in between. */
const callsAtOnce = 256;

/** Reads many objects. What cannot be read is reported and left out, what does not exist is left out. */
export async function readMany<T, R>(
  client: RedisClient,
  reading: Reading<T, R>,
  items: readonly T[],
  onFailure: (what: string) => void,
): Promise<R[]> {
  const found: R[] = [];
  for (let from = 0; from < items.length; from += callsAtOnce) {
    const some = items.slice(from, from + callsAtOnce);
    const replies = await reading.script.runMany(
      client,
      some.map((item) => reading.call(item)),
    );
    for (const [index, item] of some.entries()) {
      const result = readOne(reading, replies[index], item);
      if (result instanceof Error) onFailure(`${reading.describe(item)}: ${result.message}`);
      else if (result !== undefined) found.push(result);
    }
  }
  return found;
}

function readOne<T, R>(reading: Reading<T, R>, reply: unknown, item: T): R | Error | undefined {
  if (reply instanceof Error) return reply;
  try {
    return reading.read(reply, item);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
