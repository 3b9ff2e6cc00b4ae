import { afterAll, describe, expect, it } from '@jest/globals';
import { startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

describe('consumers that wait', () => {
  afterAll(stopEverything);

  it('send no more than two commands a second each', async () => {
    // given: four, on two queues
    const server = await startRedis();
    const { broker, close } = await openBroker(server, ownPrefix());
    for (const queue of ['a', 'a', 'b', 'b']) {
      await broker.declareQueue({ name: queue });
      await broker.consumer({ queue, handler: () => undefined }).start();
    }
    const monitor = await server.client().monitor();
    const commands: string[] = [];
    let count = 0;
    monitor.on('monitor', (_time: string, args: string[], source: string) => {
      if (source === 'lua') return;
      count++;
      commands.push(args.slice(0, 2).join(' '));
    });
    // when
    const began = performance.now();
    await waitFor(() => performance.now() - began > 3000, { what: 'three seconds', intervalMs: 100 });
    const seconds = (performance.now() - began) / 1000;
    monitor.disconnect();
    // then: the Broker's own upkeep of queues is one more client
    const upkeep = 3 * 2;
    expect({ count: count <= 4 * 2 * seconds + upkeep, commands }).toMatchObject({ count: true });
    await close();
  });
});
