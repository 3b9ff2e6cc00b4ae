import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { waitFor } from '@millrace/testing';
import { onOneServer } from '../one-server.js';
import { LogOnRedis } from './log-on-redis.js';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

async function calls(command: string): Promise<number> {
  const stats = await redis.admin.info('commandstats');
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}

describe('an idle consumer', () => {
  onOneServer('together-fetch').it(
    'waits in one blocking read for all its partitions, and is woken by the first record',
    async () => {
      // given a member that has read everything
      const topic = await redis.topic({ partitions: 4 });
      const seen: unknown[] = [];
      const handler = (value: unknown): void => void seen.push(value);
      const consumer = redis.log.consumer({ group: 'idle', topics: topic, heartbeatMs: 20, handler });
      const producer = redis.log.producer();
      await consumer.start();
      await producer.send({ topic, partition: 3, value: 'first' });
      await waitFor(() => seen.length === 1, { what: 'the first record' });
      await consumer.commit();

      // when nothing happens for twenty heartbeats
      const [reads, scripts] = [await calls('xread'), await calls('evalsha')];
      await waitFor(async () => (await calls('evalsha')) >= scripts + 20, { what: 'twenty heartbeats' });

      // then it has not read once, and reads when there is something
      expect((await calls('xread')) - reads).toBeLessThanOrEqual(1);
      await producer.send({ topic, partition: 1, value: 'second' });
      await waitFor(() => seen.length === 2, { what: 'the second record' });
      await consumer.stop();
    },
  );
});
