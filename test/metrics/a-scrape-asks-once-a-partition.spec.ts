import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Events } from '@millrace/delivery';
import { Log } from '@millrace/log';
import { Metrics } from '@millrace/metrics';
import { Broker } from '@millrace/queue';
import { RedisConnection } from '@millrace/redis';
import { type RedisServer, startRedis } from '@millrace/testing';
import { linesOf } from './exposition.js';
import { ownPrefix } from './measured.js';

let server: RedisServer;

beforeAll(async () => {
  server = await startRedis();
});

afterAll(() => server.stop());

/** What a client sends, and what Redis does for it in all, within scripts too. */
interface Work {
  readonly scripts: number;
  readonly commands: number;
}

/** The work of one scrape when all there is was seen before. Nothing else is connected while it is counted. */
async function workOfAScrape(prefix: string, expectedPartitions: number): Promise<Work> {
  const connection = await new RedisConnection({ ...server.connection, prefix }).open();
  const metrics = new Metrics({ connection, events: new Events() }, { detail: true, scrapeTimeoutMs: 30_000 });
  for (let look = 0; look < 2; look++) await metrics.scrape();
  const before = await workSoFar(connection);
  const text = await metrics.scrape();
  const after = await workSoFar(connection);
  await metrics.stop();
  connection.close();
  expect(linesOf(text, 'millrace_consumergroup_lag')).toHaveLength(expectedPartitions);
  return { scripts: after.scripts - before.scripts, commands: after.commands - before.commands };
}

async function workSoFar({ commands }: RedisConnection): Promise<Work> {
  const calls = [...(await commands.info('commandstats')).matchAll(/cmdstat_(\S+?):calls=(\d+)/g)];
  const count = (isCounted: (name: string) => boolean): number =>
    calls.reduce((sum, [, name = '', times]) => (isCounted(name) ? sum + Number(times) : sum), 0);
  return { scripts: count((name) => name.startsWith('eval')), commands: count((name) => name !== 'info') };
}

async function declare(prefix: string, { partitions, queues }: { partitions: number; queues: number }): Promise<void> {
  const connection = await new RedisConnection({ ...server.connection, prefix }).open();
  const log = new Log(connection);
  const broker = new Broker(connection);
  await log.declareTopic({ name: 'orders', partitions });
  const records = Array.from({ length: partitions * 3 }, (_, index) => index);
  await log
    .producer()
    .sendBatch(records.map((index) => ({ topic: 'orders', partition: index % partitions, value: index })));
  await log.groups.resetOffsets('desk', { topic: 'orders', to: 'earliest' });
  const names = Array.from({ length: queues }, (_, index) => `queue-${index}`);
  await broker.declare({ queues: names.map((name) => ({ name })) });
  for (const name of names) await broker.sendToQueue(name, 'hello');
  await Promise.all([log.close(), broker.close()]);
  connection.close();
}

describe('a scrape', () => {
  it('sends one script call a partition, queue and group, and each does a handful of commands', async () => {
    // given
    const [small, large, queued] = [ownPrefix(), ownPrefix(), ownPrefix()];
    await declare(small, { partitions: 5, queues: 2 });
    await declare(large, { partitions: 45, queues: 2 });
    await declare(queued, { partitions: 5, queues: 22 });
    // when
    const few = await workOfAScrape(small, 5);
    const manyPartitions = await workOfAScrape(large, 45);
    const manyQueues = await workOfAScrape(queued, 5);
    // then: partitions, queues, one group, and the election of the process that reads
    expect(few.scripts).toBe(5 + 2 + 1 + 1);
    expect(manyPartitions.scripts).toBe(45 + 2 + 1 + 1);
    expect(manyQueues.scripts).toBe(5 + 22 + 1 + 1);
    // then: the call itself and what it does, the same for each
    expect((manyPartitions.commands - few.commands) / 40).toBeLessThanOrEqual(7);
    expect((manyQueues.commands - few.commands) / 20).toBeLessThanOrEqual(17);
  });
});
