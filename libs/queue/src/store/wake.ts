import type { RedisClient } from '@millrace/redis';
import { Taken } from './taken.js';

/** What an element of a wake list says. */
export interface WakeUp {
  /** The consumer that was taken out of `idle` for it. */
  readonly consumer: string;
  /** A message that comes along with it, to be claimed by the next turn. */
  readonly handed: Taken | undefined;
  /** When it was handed over, by Redis' clock. */
  readonly handedAt: number;
}

const newline = 0x0a;

/** Waits until a consumer of the queue is woken. Undefined when none was for so long. */
export async function nextWakeUp(client: RedisClient, wakeKey: string, blockMs: number): Promise<WakeUp | undefined> {
  const reply = await client.blpopBuffer(wakeKey, blockMs / 1000);
  const element = reply?.[1];
  if (element === undefined) return undefined;
  const [consumerEnd, timeEnd, idEnd] = separators(element);
  if (idEnd === undefined) return { consumer: element.toString('latin1'), handed: undefined, handedAt: 0 };
  return {
    consumer: element.toString('latin1', 0, consumerEnd),
    handedAt: Number(element.toString('latin1', (consumerEnd ?? 0) + 1, timeEnd)),
    handed: new Taken(element.toString('utf8', (timeEnd ?? 0) + 1, idEnd), element.subarray(idEnd + 1)),
  };
}

/** Where the first three lines end. */
function separators(element: Buffer): (number | undefined)[] {
  const found: number[] = [];
  for (let at = element.indexOf(newline); at >= 0 && found.length < 3; at = element.indexOf(newline, at + 1))
    found.push(at);
  return found;
}
