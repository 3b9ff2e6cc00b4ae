import { errorOf } from '@millrace/core';
import type { RedisClient, Script, ScriptCall } from '@millrace/redis';
import type { UnreadObject } from '../model/snapshot.js';

/** How objects of one kind are read: by one script call each. */
export interface Reading<T, R> {
  readonly script: Script;
  call(item: T): ScriptCall;
  /** Reads the reply; undefined when the object does not exist. */
  read(reply: unknown, item: T): R | undefined;
  /** Describes the object. */
  describe(item: T): string;
}

/** Calls per write: enough for a write to be cheap, few enough to let other commands in between. */
const callsAtOnce = 128;
/** Writes in flight: Redis works on one while the replies of another are read. */
const writesAtOnce = 2;

/** Reads many objects. Objects that cannot be read are reported and left out; missing ones are left out. */
export async function readMany<T, R>(
  client: RedisClient,
  reading: Reading<T, R>,
  items: readonly T[],
  onFailure: (unread: UnreadObject) => void,
): Promise<R[]> {
  const found: (R | undefined)[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const from = next;
      const some = items.slice(from, from + callsAtOnce);
      next += some.length;
      const replies = await reading.script.runMany(
        client,
        some.map((item) => reading.call(item)),
      );
      for (const [index, item] of some.entries()) {
        const result = readOne(reading, replies[index], item);
        if (result instanceof Error) onFailure({ what: reading.describe(item), why: result.message });
        else found[from + index] = result;
      }
    }
  };
  await Promise.all(Array.from({ length: writesAtOnce }, lane));
  return found.filter((result) => result !== undefined);
}

function readOne<T, R>(reading: Reading<T, R>, reply: unknown, item: T): R | Error | undefined {
  if (reply instanceof Error) return reply;
  try {
    return reading.read(reply, item);
  } catch (error) {
    return errorOf(error);
  }
}
