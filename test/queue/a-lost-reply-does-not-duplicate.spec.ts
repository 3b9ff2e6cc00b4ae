import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { type FaultProxy, type RedisServer, startProxy, startRedis, stopEverything } from '@millrace/testing';
import { onOneServer } from '../one-server.js';
import { openBroker, ownPrefix } from './broker.js';

onOneServer('proxy').describe('a reply that is lost after the publish', () => {
  let server: RedisServer;
  let proxy: FaultProxy;
  let opened: Awaited<ReturnType<typeof openBroker>>;
  beforeAll(async () => {
    server = await startRedis();
    proxy = await startProxy(server);
  });
  afterEach(() => opened.close());
  afterAll(stopEverything);

  it('does not duplicate the message, though it was handled and gone before the repetition', async () => {
    const prefix = ownPrefix();
    opened = await openBroker({ connection: { url: `redis://127.0.0.1:${proxy.port}` } }, prefix);
    const { broker } = opened;
    const client = server.client();
    await broker.declareQueue({ name: 'mail' });
    await broker.sendToQueue('mail', 'first');
    await client.unlink(`${prefix}:{queue:mail}:messages`, `${prefix}:{queue:mail}:ready`);
    // given
    const cut = proxy.cutBeforeReply('the one');
    // when
    const publishing = broker.sendToQueue('mail', 'the one');
    await cut;
    // A consumer is faster than the publisher's second try.
    await client.unlink(`${prefix}:{queue:mail}:messages`, `${prefix}:{queue:mail}:ready`);
    const receipt = await publishing;
    // then
    expect(receipt).toMatchObject({ queues: ['mail'], duplicates: [], isUnroutable: false });
    expect(await client.hlen(`${prefix}:{queue:mail}:messages`)).toBe(0);
    expect(await client.llen(`${prefix}:{queue:mail}:ready`)).toBe(0);
  });

  it('loses and repeats nothing of a burst, whatever calls are cut', async () => {
    const prefix = ownPrefix();
    opened = await openBroker({ connection: { url: `redis://127.0.0.1:${proxy.port}` } }, prefix);
    const { broker } = opened;
    await broker.declareQueue({ name: 'mail' });
    const sent: Promise<unknown>[] = [];
    for (const marker of ['cut-a', 'cut-b', 'cut-c']) {
      // given
      const cut = proxy.cutBeforeReply(marker);
      // when
      for (let n = 0; n < 1500; n++) sent.push(broker.sendToQueue('mail', n === 700 ? marker : n));
      await cut;
    }
    await Promise.all(sent);
    // then
    const ids = await server.client().lrange(`${prefix}:{queue:mail}:ready`, 0, -1);
    expect(ids.length).toBe(4500);
    expect(new Set(ids).size).toBe(4500);
  });
});
