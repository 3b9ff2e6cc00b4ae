import { afterEach, describe, expect, it } from '@jest/globals';
import { startRedis, startReplicated, startSentinels, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

type Opened = Awaited<ReturnType<typeof openBroker>>;

/** Publishes until it is confirmed; a repetition is recognised by its id. */
async function publishSurely({ broker }: Opened, n: number): Promise<void> {
  await waitFor(() => broker.sendToQueue('q', n, { messageId: `m${n}` }), {
    what: `message ${n} to be confirmed`,
    timeoutMs: 20_000,
  });
}

async function consume({ broker }: Opened, seen: Map<unknown, number>) {
  const handler = (payload: unknown) => void seen.set(payload, (seen.get(payload) ?? 0) + 1);
  const consumer = broker.consumer({ queue: 'q', handler });
  await consumer.start();
  return consumer;
}

describe('a consumer', () => {
  afterEach(stopEverything);

  it('comes back after Redis was restarted, frozen, and its connections and scripts were thrown away', async () => {
    // given
    const server = await startRedis({ aof: 'always' });
    const prefix = ownPrefix();
    const [publishing, consuming] = [await openBroker(server, prefix), await openBroker(server, prefix)];
    await publishing.broker.declareQueue({ name: 'q' });
    const seen = new Map<unknown, number>();
    const consumer = await consume(consuming, seen);
    const client = server.client();
    const outages: (() => Promise<unknown>)[] = [
      () => server.restart(),
      () => client.script('FLUSH'),
      () => client.call('CLIENT', 'KILL', 'TYPE', 'normal').catch(() => undefined),
      async () => {
        await server.freeze();
        const pending = publishSurely(publishing, 1000);
        server.thaw();
        await pending;
      },
      async () => {
        await server.kill();
        await server.restart();
      },
    ];
    let n = 0;
    for (const outage of outages) {
      // when
      for (let count = 0; count < 20; count++) await publishSurely(publishing, n++);
      await outage();
      // then: what comes after it is handled, by the same consumer
      await publishSurely(publishing, n++);
      const last = n - 1;
      await waitFor(() => seen.has(last), { what: `message ${last} after an outage`, timeoutMs: 15_000 });
    }
    await waitFor(() => seen.size === n + 1, { what: 'all of them' });
    expect(consumer.status.state).toBe('running');
    await publishing.close();
    await consuming.close();
  });

  it('loses nothing that it was given in a reply that never came', async () => {
    // given: every turn's reply may be cut off
    const server = await startRedis();
    const prefix = ownPrefix();
    const [publishing, consuming] = [await openBroker(server, prefix), await openBroker(server, prefix)];
    await publishing.broker.declareQueue({ name: 'q' });
    const seen = new Map<unknown, number>();
    await consume(consuming, seen);
    const messages = Array.from({ length: 3000 }, (_, body) => ({ exchange: '', routingKey: 'q', body }));
    // when
    await publishing.broker.publishBatch(messages.slice(0, 1500));
    for (let cut = 0; cut < 10; cut++) {
      const address = /addr=(\S+) .*name=millrace:commands/;
      const list = String(await server.client().call('CLIENT', 'LIST'))
        .split('\n')
        .filter((line) => address.test(line));
      for (const line of list)
        await server
          .client()
          .call('CLIENT', 'KILL', 'ADDR', address.exec(line)?.[1] ?? '')
          .catch(() => 0);
      await waitFor(() => consuming.connection.isUp && publishing.connection.isUp, { what: 'the connections' });
      await publishing.broker.publishBatch(messages.slice(1500 + cut * 150, 1650 + cut * 150)).catch(() => undefined);
    }
    // then: no message stays behind
    const redis = server.client({ keyPrefix: `${prefix}:{queue:q}:` });
    await waitFor(async () => (await redis.hlen('messages')) === 0, { what: 'the queue to be empty' });
    expect([...seen.keys()].filter((payload) => Number(payload) < 1500)).toHaveLength(1500);
    await publishing.close();
    await consuming.close();
  });

  it('goes on with the new primary after a failover', async () => {
    // given
    const replicated = await startReplicated();
    const sentinels = await startSentinels(replicated);
    const opened = await openBroker(sentinels, ownPrefix());
    await opened.broker.declareQueue({ name: 'q' });
    const seen = new Map<unknown, number>();
    const consumer = await consume(opened, seen);
    await publishSurely(opened, 1);
    await waitFor(() => seen.has(1), { what: 'a message before the failover' });
    // when
    await replicated.primary.client().call('WAIT', '1', '1000');
    await replicated.primary.kill();
    // then
    await publishSurely(opened, 2);
    await waitFor(() => seen.has(2), { what: 'a message after the failover', timeoutMs: 15_000 });
    expect(consumer.status.state).toBe('running');
    await opened.close();
  });
});
