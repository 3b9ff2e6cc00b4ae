import type { RedisClient } from '@millrace/redis';
import type { Offer } from './offers.js';
import { Taken } from './taken.js';

/** The contents of an element of a wake list. */
export interface WakeUp {
  /** The consumer that was taken out of `idle` for it. */
  readonly consumer: string;
  /** A message that comes with it, to be claimed by the next turn. */
  readonly offer: Offer | undefined;
}

const newline = 0x0a;

/** Waits until a consumer of the queue is woken. Undefined when none was within this time. */
export async function nextWakeUp(client: RedisClient, wakeKey: string, blockMs: number): Promise<WakeUp | undefined> {
  const reply = await client.blpopBuffer(wakeKey, blockMs / 1000);
  const element = reply?.[1];
  if (element === undefined) return undefined;
  const [consumerEnd = 0, timeEnd = 0, numberEnd = 0, idEnd] = separators(element);
  if (idEnd === undefined) return { consumer: element.toString('latin1'), offer: undefined };
  return {
    consumer: element.toString('latin1', 0, consumerEnd),
    offer: {
      offeredAt: Number(element.toString('latin1', consumerEnd + 1, timeEnd)),
      number: Number(element.toString('latin1', timeEnd + 1, numberEnd)),
      message: new Taken(element.toString('utf8', numberEnd + 1, idEnd), element.subarray(idEnd + 1)),
    },
  };
}

/** Where the first four lines end. */
function separators(element: Buffer): (number | undefined)[] {
  const found: number[] = [];
  for (let at = element.indexOf(newline); at >= 0 && found.length < 4; at = element.indexOf(newline, at + 1))
    found.push(at);
  return found;
}
