import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisServer, startRedis } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

describe('a burst of messages', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());

  /** A queue, and how many script calls were sent for it by now. */
  async function queueAndCalls() {
    const { broker, connection } = await openBroker(server, ownPrefix());
    await broker.declareQueue({ name: 'jobs' });
    await broker.sendToQueue('jobs', 'the topology is known');
    const { commands: client } = connection;
    let calls = 0;
    const sendCommand = client.sendCommand.bind(client);
    client.sendCommand = (command: Parameters<typeof sendCommand>[0], stream?: never) => {
      calls++;
      return sendCommand(command, stream);
    };
    const publish = (count: number) => Array.from({ length: count }, (_, n) => broker.sendToQueue('jobs', { n }));
    return { broker, publish, calls: () => calls };
  }

  it('like the one before goes in two calls, the first while the second is made', async () => {
    // given
    const { publish, calls } = await queueAndCalls();
    await Promise.all(publish(64));
    const before = calls();
    // when
    const receipts = publish(64);
    // then
    expect(calls() - before).toBe(1);
    await Promise.all(receipts);
    expect(calls() - before).toBe(2);
  });

  it('of few messages shares one call', async () => {
    const { publish, calls } = await queueAndCalls();
    await Promise.all(publish(7));
    const before = calls();
    await Promise.all(publish(7));
    expect(calls() - before).toBe(1);
  });

  it('stands in the queue in its order', async () => {
    const { broker, publish } = await queueAndCalls();
    for (let round = 0; round < 3; round++) await Promise.all(publish(1200));
    const handled: number[] = [];
    let finish = (): void => undefined;
    const all = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const consumer = broker.consumer({
      queue: 'jobs',
      handler: (body) => {
        if (typeof body === 'object') handled.push((body as { n: number }).n);
        if (handled.length === 3600) finish();
      },
    });
    await consumer.start();
    await all;
    await consumer.stop();
    expect(handled).toEqual(Array.from({ length: 3600 }, (_, index) => index % 1200));
  });
});
