import { afterAll, beforeAll, it } from '@jest/globals';
import { Log } from '@millrace/log';
import { RedisConnection } from '@millrace/redis';
import { waitFor } from '@millrace/testing';
import { expectNothingLeftBy } from '../footprint.js';
import { onOneServer } from '../one-server.js';
import { LogOnRedis } from './log-on-redis.js';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

const surroundings = () => {
  const { admin, connection, log } = redis;
  return { admin, emitters: [connection, connection.commands, log.events] };
};

onOneServer('handles').describe('a log', () => {
  it('leaves nothing behind of a producer that was closed', async () => {
    const topic = await redis.topic({ retention: { maxRecords: 1 } });
    const life = async (): Promise<void> => {
      const producer = redis.log.producer();
      await producer.send({ topic, value: 1 });
      await producer.close();
    };
    await expectNothingLeftBy(life, surroundings());
  });

  it('leaves nothing behind of a consumer that was started, has handled and was stopped', async () => {
    const topic = await redis.topic();
    const producer = redis.log.producer();
    const life = async (): Promise<void> => {
      const handled: unknown[] = [];
      const consumer = redis.log.consumer({ group: 'g', topics: topic, handler: (value) => void handled.push(value) });
      await consumer.start();
      await producer.sendBatch([1, 2, 3].map((value) => ({ topic, value })));
      await waitFor(() => handled.length === 3, { what: 'the records' });
      await consumer.stop();
    };
    await expectNothingLeftBy(life, surroundings());
  });

  it('leaves nothing behind of a reading that was left while it waited', async () => {
    const topic = await redis.topic();
    await redis.log.producer().send({ topic, value: 1 });
    const life = async (): Promise<void> => {
      const reading = redis.log.read({ topic, partition: 0, tail: true });
      await reading.next();
      const waiting = reading.next();
      await waitFor(async () => String(await redis.admin.call('CLIENT', 'LIST')).includes(':tail '), {
        what: 'it to wait',
      });
      await reading.return();
      await waiting;
    };
    await expectNothingLeftBy(life, surroundings());
  });

  it('leaves nothing behind when it is closed, and its connection goes on', async () => {
    const topic = await redis.topic();
    const { connection } = redis;
    const life = async (): Promise<void> => {
      const log = new Log(connection);
      await log.consumer({ group: 'goes-on', topics: topic, handler: () => undefined }).start();
      await log.close();
    };
    await expectNothingLeftBy(life, surroundings());
  });

  it('leaves nothing behind when it is closed, with its connection', async () => {
    const topic = await redis.topic();
    const { events } = redis.log;
    const life = async (): Promise<void> => {
      const connection = await new RedisConnection(redis.server.connection).open();
      const log = new Log(connection, { events });
      await log.consumer({ group: 'closed', topics: topic, handler: () => undefined }).start();
      await log.producer().send({ topic, value: 1 });
      await log.close();
      connection.close();
    };
    await expectNothingLeftBy(life, surroundings());
  });
});
