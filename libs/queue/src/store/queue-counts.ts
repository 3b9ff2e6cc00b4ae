import { asInteger, asList, keyNames, type RedisClient, Script } from '@millrace/redis';
import { queueKeys, waitingKeys } from './keys.js';

/** The number of a queue's messages in each state. */
export interface QueueCounts {
  /** Waiting for a consumer, or on its way to one. */
  readonly ready: number;
  /** Waiting for their time, or for a retry. */
  readonly delayed: number;
  /** Held by consumers. */
  readonly unacked: number;
  /** Set aside: no handler matches them, or they can become no dead letter. */
  readonly parked: number;
  /** Dead letters on their way to their target. */
  readonly dying: number;
  /** Completed, and kept for inspection (`keepCompleted`): they no longer belong to the queue. */
  readonly completed: number;
  /** Registered consumers, of all processes. */
  readonly consumers: number;
}

const countKeys = ['state', 'messages', 'delayed', 'parked', 'ended', 'offered', 'completed', 'consumers'] as const;

// Counts the messages in each state, in one script: between two commands a message that moves would be counted twice, or not at all.
//
// KEYS     those of `countKeys`, all read, then the lists of waiting messages
// ARGV     none
// RETURNS  { ready, delayed, parked, dying, completed, consumers, messages }
// EFFECTS  none
const countScript = new Script(`#!lua flags=no-writes
local call = redis.call
${keyNames(...countKeys)}
local ready = call('ZCARD', offered) - (tonumber(call('HGET', state, 'stale')) or 0)
for list = firstList, #KEYS do ready = ready + call('LLEN', KEYS[list]) end
return {ready, call('ZCARD', delayed), call('ZCARD', parked), call('ZCARD', ended), call('ZCARD', completed),
  call('ZCARD', consumers), call('HLEN', messages)}
`);

export async function countMessages(
  client: RedisClient,
  place: { readonly prefix: string; readonly queue: string; readonly priorities: number },
): Promise<QueueCounts> {
  const all = queueKeys(place.prefix, place.queue);
  const keys = [...countKeys.map((name) => all[name]), ...waitingKeys(all, place.priorities)];
  const reply = asList(await countScript.run(client, keys, [])).map(asInteger);
  const [ready = 0, delayed = 0, parked = 0, dying = 0, completed = 0, consumers = 0, messages = 0] = reply;
  // The rest is held by a consumer, alive or dead.
  const unacked = Math.max(0, messages - ready - delayed - parked - dying);
  return { ready, delayed, unacked, parked, dying, completed, consumers };
}

/** The counts of a queue's slots as one. A consumer has a registration in each of them. */
export function sumCounts(counts: readonly QueueCounts[]): QueueCounts {
  const sum = (key: keyof QueueCounts): number => counts.reduce((total, one) => total + one[key], 0);
  return {
    ready: sum('ready'),
    delayed: sum('delayed'),
    unacked: sum('unacked'),
    parked: sum('parked'),
    dying: sum('dying'),
    completed: sum('completed'),
    consumers: Math.max(...counts.map(({ consumers }) => consumers)),
  };
}
