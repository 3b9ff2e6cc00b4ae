import { afterAll, expect, it } from '@jest/globals';
import { WriteError } from '@millrace/core';
import type { Broker, BrokerOptions, Receipt } from '@millrace/queue';
import { type RedisServer, startRedis, stopEverything } from '@millrace/testing';
import { onOneServer } from '../one-server.js';
import { openBroker, ownPrefix } from './broker.js';

const names = Array.from({ length: 20 }, (_, index) => `q${index}`);

/** An exchange from which every message goes to all the queues. */
async function fanout(server: RedisServer, options: Partial<BrokerOptions>) {
  const opened = await openBroker(server, ownPrefix(), options);
  await opened.broker.declare({
    exchanges: [{ name: 'all', type: 'fanout' }],
    queues: names.map((name) => ({ name })),
    bindings: names.map((queue) => ({ exchange: 'all', queue })),
  });
  return opened;
}

/** The ids of the messages in each of the queues. */
function idsIn(broker: Broker): Promise<string[][]> {
  return Promise.all(names.map((name) => idsOf(broker, name)));
}

async function idsOf(broker: Broker, queue: string): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await broker.queue(queue).ready({ limit: 1000, cursor });
    ids.push(...page.messages.map(({ id }) => id));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return ids.sort();
}

onOneServer('all-or-nothing').describe('on one server, a publish to many queues', () => {
  afterAll(stopEverything);

  it('reaches all or none, though the server is killed in the middle of a stream of them', async () => {
    // given
    const server = await startRedis({ aof: 'always' });
    const { broker, close } = await fanout(server, { deliveryTimeoutMs: 60_000 });
    // when
    const sent = Array.from({ length: 2000 }, (_, n) => broker.publish('all', 'k', n));
    await Promise.race(sent);
    await server.kill();
    await server.restart();
    const receipts = await Promise.all(sent);
    // then
    const confirmed = receipts.map(({ messageId }) => messageId).sort();
    for (const ids of await idsIn(broker)) expect(ids).toEqual(confirmed);
    for (const { queues } of receipts) expect(queues.length).toBe(names.length);
    await close();
  });

  it('reaches all or none, though it is given up then: no repetition completes it', async () => {
    // given
    const server = await startRedis({ aof: 'always' });
    const { broker, connection, close } = await fanout(server, { deliveryTimeoutMs: 1000 });
    // when the server is away until all that had no reply are given up
    const sent = Array.from({ length: 2000 }, (_, n) => broker.publish('all', 'k', n));
    await Promise.race(sent);
    await server.kill();
    const results = await Promise.allSettled(sent);
    await server.restart();
    await connection.whenReady(20_000);
    // then
    const isConfirmed = (result: PromiseSettledResult<Receipt>) => result.status === 'fulfilled';
    const confirmed = results.filter(isConfirmed).map(({ value }) => value.messageId);
    expect(confirmed.length).toBeLessThan(sent.length);
    const [first = [], ...others] = await idsIn(broker);
    expect(first).toEqual(expect.arrayContaining(confirmed));
    for (const ids of others) expect(ids).toEqual(first);
    await close();
  });

  it('reaches all or none when Redis has no memory for all', async () => {
    // given room for some copies of a message, and not for twenty
    const server = await startRedis();
    const { broker, close } = await fanout(server, { deliveryTimeoutMs: 300 });
    const client = server.client();
    const used = Number(/^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1]);
    await client.config('SET', 'maxmemory', used + 1_000_000);
    // when it is published again and again
    const taken: string[] = [];
    let error: unknown;
    while (error === undefined) {
      await broker.publish('all', 'k', 'x'.repeat(200_000)).then(
        ({ messageId }) => taken.push(messageId),
        (thrown: unknown) => {
          error = thrown;
        },
      );
    }
    // then
    expect(error).toBeInstanceOf(WriteError);
    expect(error).toMatchObject({ failure: 'full', mayBeWritten: false });
    expect(taken.length).toBeGreaterThan(0);
    for (const ids of await idsIn(broker)) expect(ids).toEqual(taken.toSorted());
    await close();
  });
});
