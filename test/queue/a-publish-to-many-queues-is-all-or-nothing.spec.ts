import { afterAll, expect, it } from '@jest/globals';
import { WriteError } from '@millrace/core';
import { startRedis, stopEverything } from '@millrace/testing';
import { onOneServer } from '../one-server.js';
import { openBroker, ownPrefix } from './broker.js';

const names = Array.from({ length: 20 }, (_, index) => `q${index}`);

onOneServer('all-or-nothing').describe('on one server, a publish to many queues', () => {
  afterAll(stopEverything);

  it('reaches all or none, though the server is killed in the middle of a stream of them', async () => {
    // given
    const server = await startRedis({ aof: 'always' });
    const prefix = ownPrefix();
    const { broker, close } = await openBroker(server, prefix, { deliveryTimeoutMs: 60_000 });
    await broker.declare({
      exchanges: [{ name: 'all', type: 'fanout' }],
      queues: names.map((name) => ({ name })),
      bindings: names.map((queue) => ({ exchange: 'all', queue })),
    });
    // when
    const sent = Array.from({ length: 2000 }, (_, n) => broker.publish('all', 'k', n));
    await Promise.race(sent);
    await server.kill();
    await server.restart();
    const receipts = await Promise.all(sent);
    // then
    const client = server.client();
    const lists = await Promise.all(names.map((name) => client.lrange(`${prefix}:{queue:${name}}:ready`, 0, -1)));
    const confirmed = receipts.map(({ messageId }) => messageId).sort();
    for (const ids of lists) expect([...ids].sort()).toEqual(confirmed);
    for (const { queues } of receipts) expect(queues.length).toBe(names.length);
    await close();
  });

  it('reaches none when Redis has no memory for all', async () => {
    const server = await startRedis();
    const prefix = ownPrefix();
    const { broker, close } = await openBroker(server, prefix, { deliveryTimeoutMs: 300 });
    await broker.declare({
      exchanges: [{ name: 'all', type: 'fanout' }],
      queues: names.map((name) => ({ name })),
      bindings: names.map((queue) => ({ exchange: 'all', queue })),
    });
    const client = server.client();
    await client.config('SET', 'maxmemory', '1');
    const error = await broker.publish('all', 'k', 'x').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(WriteError);
    expect(error).toMatchObject({ failure: 'full', mayBeWritten: false });
    for (const name of names) expect(await client.exists(`${prefix}:{queue:${name}}:messages`)).toBe(0);
    await close();
  });
});
