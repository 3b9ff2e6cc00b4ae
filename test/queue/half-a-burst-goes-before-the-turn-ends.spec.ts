import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisServer, startRedis } from '@millrace/testing';
import { commandsOf, openBroker, ownPrefix } from './broker.js';

describe('a burst of messages', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());

  /** A queue, the commands that are sent for it from now on, and a way to publish many messages in one turn of the event loop. */
  async function openQueue() {
    const { broker, connection, close } = await openBroker(server, ownPrefix());
    await broker.declareQueue({ name: 'jobs' });
    await broker.sendToQueue('jobs', 'the topology is known');
    const publish = (count: number) => Array.from({ length: count }, (_, n) => broker.sendToQueue('jobs', { n }));
    return { broker, close, publish, commands: commandsOf(connection) };
  }

  it('like the one before goes in two calls, the first while the second is made', async () => {
    // given
    const { publish, commands, close } = await openQueue();
    await Promise.all(publish(64));
    const before = commands.length;
    // when
    const receipts = publish(64);
    // then
    expect(commands.slice(before)).toEqual(['EVALSHA']);
    await Promise.all(receipts);
    expect(commands.slice(before)).toEqual(['EVALSHA', 'EVALSHA']);
    await close();
  });

  it('of few messages shares one call', async () => {
    const { publish, commands, close } = await openQueue();
    await Promise.all(publish(7));
    const before = commands.length;
    await Promise.all(publish(7));
    expect(commands.slice(before)).toEqual(['EVALSHA']);
    await close();
  });

  it('that fills whole calls sends them before the turn ends, whatever came before', async () => {
    const { publish, commands, close } = await openQueue();
    const receipts = publish(1200);
    expect(commands).toEqual(['EVALSHA', 'EVALSHA']);
    await Promise.all(receipts);
    expect(commands).toEqual(['EVALSHA', 'EVALSHA', 'EVALSHA']);
    await close();
  });

  it('stands in the queue in its order', async () => {
    const { broker, publish, close } = await openQueue();
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
    await close();
  });
});
