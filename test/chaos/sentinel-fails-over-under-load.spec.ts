import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { Log } from '@millrace/log';
import { Broker } from '@millrace/queue';
import { RedisConnection } from '@millrace/redis';
import { type Replicated, type Sentinels, startReplicated, startSentinels, stopEverything } from '@millrace/testing';
import { failsOverUnderLoad } from './failover-under-load.js';

describe('behind Sentinel, where every replica confirms', () => {
  let replicated: Replicated;
  let sentinels: Sentinels;
  let connection: RedisConnection;
  let log: Log;
  let broker: Broker;
  beforeAll(async () => {
    replicated = await startReplicated({ replicas: 2 });
    sentinels = await startSentinels(replicated);
    connection = await new RedisConnection(sentinels.connection).open();
    log = new Log(connection);
    broker = new Broker(connection, { minReplicas: 2 });
    await log.declareTopic({ name: 'orders', partitions: 2 });
    await broker.declareQueue({ name: 'work' });
  });
  afterAll(async () => {
    await Promise.all([log.close(), broker.close()]);
    connection.close();
    await stopEverything();
  });

  it('a failover under load loses no record and no message that was confirmed', async () => {
    await failsOverUnderLoad({ log, broker }, { replicated, sentinels });
  }, 240_000);
});
