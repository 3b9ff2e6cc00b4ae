import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisServer, startRedis, waitFor } from '@millrace/testing';
import { linesOf, sampleOf } from './exposition.js';
import { openMeasured, ownPrefix } from './measured.js';

let server: RedisServer;

beforeAll(async () => {
  server = await startRedis();
});

afterAll(() => server.stop());

describe('what is unknown', () => {
  it('has no series, and what is known to be nothing is 0', async () => {
    // given a topic of two partitions, and a group that has an offset in one of them and has read it all
    const prefix = ownPrefix();
    const { connection, log, metrics, close } = await openMeasured(server, prefix, { detail: true });
    await log.declareTopic({ name: 'orders', partitions: 2 });
    const producer = log.producer();
    await producer.send({ topic: 'orders', partition: 0, value: 1 });
    await producer.send({ topic: 'orders', partition: 1, value: 1 });
    await connection.commands.xgroup('CREATE', `${prefix}:{log:orders:0}:records`, 'desk', '0-1');
    // when
    const text = await metrics.scrape();
    // then the partition without an offset has no lag, the other has a lag of 0
    for (const name of ['lag', 'lag_seconds']) {
      const lines = linesOf(text, `millrace_consumergroup_${name}`);
      expect(lines).toMatchObject([{ labels: { consumergroup: 'desk', topic: 'orders', partition: '0' }, value: 0 }]);
    }
    expect(sampleOf(text, 'millrace_consumergroup_members')).toBe(0);
    // when the partition of the group is not readable, then its lag is not 0 but gone
    await connection.commands.set(`${prefix}:{log:orders:0}:expired`, 'not what it should be');
    const broken = await metrics.scrape();
    expect(linesOf(broken, 'millrace_consumergroup_lag')).toEqual([]);
    expect(linesOf(broken, 'millrace_topic_partition_current_offset')).toMatchObject([{ labels: { partition: '1' } }]);
    expect(sampleOf(broken, 'millrace_redis_up')).toBe(1);
    // when the topic is deleted, then nothing of it is left
    await connection.commands.del(`${prefix}:{log:orders:0}:expired`);
    await log.deleteTopic('orders');
    const deleted = await metrics.scrape();
    expect(linesOf(deleted, 'millrace_topic_partitions')).toEqual([]);
    expect(linesOf(deleted, 'millrace_consumergroup_lag')).toEqual([]);
    await close();
  });

  it('has no series of completed messages where a queue keeps none, and they are not among its messages', async () => {
    // given
    const { broker, metrics, close } = await openMeasured(server, ownPrefix());
    await broker.declare({ queues: [{ name: 'forgetful' }, { name: 'mindful', keepCompleted: { count: 2 } }] });
    const consumer = broker.consumer({ queue: 'mindful', handler: () => undefined });
    await consumer.start();
    const kept = async () => linesOf(await metrics.scrape(), 'millrace_queue_messages_completed');
    expect(await kept()).toMatchObject([{ labels: { queue: 'mindful' }, value: 0 }]);
    // when
    for (let n = 0; n < 3; n++) await broker.sendToQueue('mindful', n, { messageId: `${n}` });
    await waitFor(async () => (await broker.queue('mindful').message('2'))?.state === 'completed', {
      what: 'the last',
    });
    // then
    const text = await metrics.scrape();
    expect(linesOf(text, 'millrace_queue_messages_completed')).toMatchObject([
      { labels: { queue: 'mindful' }, value: 2 },
    ]);
    const messages = linesOf(text, 'millrace_queue_messages').filter(({ labels }) => labels.queue === 'mindful');
    expect(messages).toMatchObject([{ value: 0 }]);
    await close();
  });
});
