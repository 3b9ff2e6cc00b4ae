import { Redis } from 'ioredis';
import { oneCallATurn } from '../one-turn.js';
import { type Payload, parsePayload } from '../payload.js';
import { urlOf } from '../place.js';
import type { OpenQueuePeer, QueueHandler } from '../queue-peer.js';

// The least that a queue with leases can do, by hand: one script that stores what was published in one turn of the event
// loop, one script a turn that settles what was handled and takes more. No options, no errors, no reconnecting, no
// retries, no heartbeat, no fairness. What Millrace does beside that is the distance to this.

const publishScript = `
for i = 1, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  redis.call('RPUSH', KEYS[2], ARGV[i])
end
redis.call('LPUSH', KEYS[3], '1')
redis.call('LTRIM', KEYS[3], 0, 0)
return 1`;

const turnScript = `
local room = tonumber(ARGV[1])
for i = 2, #ARGV do
  if redis.call('SREM', KEYS[3], ARGV[i]) == 1 then redis.call('HDEL', KEYS[1], ARGV[i]) end
end
local ids = redis.call('LPOP', KEYS[2], room)
if not ids then return {} end
redis.call('SADD', KEYS[3], unpack(ids))
return {ids, redis.call('HMGET', KEYS[1], unpack(ids))}`;

const minPrefetch = 1000;

export const openCeilingQueue: OpenQueuePeer = async (place, name = 'bench') => {
  const url = urlOf(place, 'redis');
  const redis = new Redis(url);
  const keys = [`${name}:messages`, `${name}:ready`, `${name}:wake`] as const;
  const publishSha = String(await redis.script('LOAD', publishScript));
  const turnSha = String(await redis.script('LOAD', turnScript));
  let nextId = 0;
  const publishBatch = oneCallATurn((bodies: readonly Payload[]) => {
    const args = bodies.flatMap((body) => [String(nextId++), JSON.stringify(body)]);
    return redis.evalsha(publishSha, 3, ...keys, ...args);
  });
  return {
    publish: (payload) => publishBatch([payload]),
    publishBatch,
    consume: async (handler, { concurrency }) => {
      const run = { redis, blocking: new Redis(url), keys, turnSha, handler, concurrency, isStopping: false };
      // Who closes it without stopping it first has no use for what it says then.
      const loop = takeTurns(run).catch((error) => {
        if (redis.status === 'ready') throw error;
      });
      return {
        stop: async () => {
          run.isStopping = true;
          run.blocking.disconnect();
          await loop;
        },
      };
    },
    close: async () => redis.disconnect(),
  };
};

interface Run {
  readonly redis: Redis;
  readonly blocking: Redis;
  readonly keys: readonly [string, string, string];
  readonly turnSha: string;
  readonly handler: QueueHandler;
  readonly concurrency: number;
  isStopping: boolean;
}

/** Settles the last turn's messages and takes the next in one call; the call after that is on its way meanwhile. */
async function takeTurns(run: Run): Promise<void> {
  const { redis, keys, turnSha, concurrency } = run;
  const [messages, ready, wake] = keys;
  const take = (done: readonly string[]): Promise<[string[], string[]] | []> =>
    redis.evalsha(
      turnSha,
      3,
      messages,
      ready,
      `${messages}:unacked`,
      Math.max(minPrefetch, concurrency),
      ...done,
    ) as Promise<[string[], string[]] | []>;
  let done: readonly string[] = [];
  let coming = take([]);
  while (!run.isStopping) {
    const [ids, bodies] = await coming;
    if (ids === undefined || bodies === undefined) {
      if (done.length === 0) await run.blocking.blpop(wake, 0).catch(() => null);
      coming = take(done);
      done = [];
      continue;
    }
    coming = take(done);
    await handleAll(run, bodies);
    done = ids;
  }
  await coming;
  await take(done);
}

/** Up to `concurrency` handlers simultaneously; one that returns no promise is done immediately. */
async function handleAll({ handler, concurrency }: Run, bodies: readonly string[]): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < bodies.length) {
      const pending = handler(parsePayload(bodies[next++] ?? ''));
      if (pending !== undefined) await pending;
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, bodies.length) }, lane));
}
