import { Redis } from 'ioredis';
import { type Payload, parsePayload } from '../payload.js';
import { urlOf } from '../place.js';
import type { OpenQueuePeer, QueueHandler } from '../queue-peer.js';

/** The plain way: a list, and a second list of what is being handled (the "reliable queue" of the Redis documentation). */
export const openIoredisList: OpenQueuePeer = async (place, name = 'bench') => {
  const url = urlOf(place, 'redis');
  const redis = new Redis(url);
  return {
    publish: (payload) => redis.lpush(name, JSON.stringify(payload)),
    publishBatch: (payloads) => redis.lpush(name, ...payloads.map((payload) => JSON.stringify(payload))),
    consume: async (handler, { concurrency }) => {
      const commands = new Redis(url);
      const blocking = new Redis(url);
      const run = { commands, blocking, name, handler, isStopping: false };
      const lanes = Array.from({ length: concurrency }, () => handleOneByOne(run));
      return {
        stop: async () => {
          run.isStopping = true;
          blocking.disconnect();
          await Promise.all(lanes);
          commands.disconnect();
        },
      };
    },
    close: async () => redis.disconnect(),
  };
};

interface Run {
  readonly commands: Redis;
  readonly blocking: Redis;
  readonly name: string;
  readonly handler: (payload: Payload) => ReturnType<QueueHandler>;
  isStopping: boolean;
}

async function handleOneByOne(run: Run): Promise<void> {
  const { commands, blocking, name, handler } = run;
  const active = `${name}:active`;
  while (!run.isStopping) {
    let body: string | null = await commands.lmove(name, active, 'RIGHT', 'LEFT');
    body ??= await blocking.blmove(name, active, 'RIGHT', 'LEFT', 0).catch(() => null);
    if (body === null) return;
    await handler(parsePayload(body));
    await commands.lrem(active, 1, body);
  }
}
