import { afterAll, describe, expect, it } from '@jest/globals';
import { Overview } from '@millrace/admin';
import { startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from '../queue/broker.js';

describe('a sharded queue', () => {
  afterAll(stopEverything);

  it('is listed once, with the counts of all its shards', async () => {
    // given
    const server = await startRedis();
    const { broker, connection, close } = await openBroker(server, ownPrefix());
    await broker.declare({ queues: [{ name: 'plain' }, { name: 'wide', shards: 4 }] });
    for (let n = 0; n < 20; n++) await broker.sendToQueue('wide', n, { shardKey: `${n}` });
    await broker.sendToQueue('wide', 'later', { delayMs: 3_600_000 });
    const consumer = broker.consumer({ queue: 'wide', prefetch: 2, handler: () => new Promise(() => undefined) });
    await consumer.start();
    await waitFor(() => consumer.status.held === 2, { what: 'two to be held' });
    // when
    const overview = new Overview(connection);
    const { queues } = await overview.read();
    // then
    expect(queues.map(({ queue }) => queue)).toEqual(['plain', 'wide']);
    const counts = { messages: 21, ready: 18, delayed: 1, unacked: 2, consumers: 1, isPaused: false };
    expect(queues[1]).toMatchObject(counts);
    await consumer.stop({ deadlineMs: 100 });
    await close();
  });
});
