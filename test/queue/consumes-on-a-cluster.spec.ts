import { afterAll, describe, expect, it } from '@jest/globals';
import { startCluster, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';
import { spawnConsumer } from './consuming.js';

describe('on a cluster', () => {
  afterAll(stopEverything);

  it('consumers of queues in different slots are woken, retry, dead-letter and reply', async () => {
    // given
    const cluster = await startCluster({ replicasPerMaster: 0 });
    const prefix = ownPrefix();
    const [publishing, consuming] = [await openBroker(cluster, prefix), await openBroker(cluster, prefix)];
    const names = ['a', 'b', 'c', 'd'];
    await publishing.broker.declare({ queues: names.map((name) => ({ name })) });
    const seen: string[] = [];
    const dead: unknown[] = [];
    for (const queue of names) {
      const handler = (payload: unknown, { attempt }: { attempt: number }) => {
        if (payload === 'bug') throw new Error(`attempt ${attempt}`);
        seen.push(`${queue} ${payload}`);
        return `${queue} says ${payload}`;
      };
      await consuming.broker.consumer({ queue, retry: { maxRetries: 1, backoff: 5 }, handler }).start();
      await publishing.broker.declareQueue({ name: `${queue}.dead-letters` });
      await consuming.broker
        .consumer({ queue: `${queue}.dead-letters`, handler: (_, { deaths }) => void dead.push(deaths[0]?.queue) })
        .start();
    }
    // when
    for (const queue of names) {
      for (let n = 0; n < 10; n++) await publishing.broker.sendToQueue(queue, n);
      await publishing.broker.sendToQueue(queue, 'bug');
      await publishing.broker.sendToQueue(queue, 'later', { delayMs: 50 });
    }
    const answers = await Promise.all(names.map((queue) => publishing.broker.request('', queue, 'hello')));
    // then
    expect(answers).toEqual(names.map((queue) => `${queue} says hello`));
    await waitFor(() => seen.length === 4 * 12 && dead.length === 4, { what: 'all to be handled or dead' });
    expect(dead.sort()).toEqual(names);
    await consuming.close();
    await publishing.close();
  });

  it('a killed consumer is noticed by the server that it was connected to', async () => {
    // given: leases of an hour
    const cluster = await startCluster({ replicasPerMaster: 0 });
    const prefix = ownPrefix();
    const { broker, close } = await openBroker(cluster, prefix);
    await broker.declareQueue({ name: 'q' });
    const victim = await spawnConsumer(cluster, prefix, 'q', { leaseMs: 3_600_000 });
    await broker.sendToQueue('q', { hang: true }, { messageId: 'm' });
    await victim.waitForLine('got m');
    const seen: unknown[] = [];
    await broker.consumer({ queue: 'q', leaseMs: 3_600_000, handler: (payload) => void seen.push(payload) }).start();
    // when
    await victim.kill();
    // then
    await waitFor(() => seen.length === 1, { what: 'the message to be handled elsewhere' });
    await close();
  });
});
