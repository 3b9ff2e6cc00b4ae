import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { UnavailableError } from '@millrace/core';
import { type FaultProxy, type RedisServer, startProxy, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { onOneServer } from '../one-server.js';
import { type OpenBroker, openBroker, ownPrefix } from './broker.js';

onOneServer('proxy').describe('a consumer that starts', () => {
  let server: RedisServer;
  let proxy: FaultProxy;
  let open: OpenBroker;
  beforeAll(async () => {
    server = await startRedis();
    proxy = await startProxy(server);
    open = await openBroker(proxy, ownPrefix());
  });
  afterAll(async () => {
    await open.close();
    await stopEverything();
  });

  it('says that Redis is away when the reply to its registration never comes, and can be started again', async () => {
    // given
    await open.broker.declareQueue({ name: 'work' });
    await open.broker.sendToQueue('work', 1);
    const seen: unknown[] = [];
    const consumer = open.broker.consumer({ queue: 'work', handler: (value) => void seen.push(value) });

    // when its connection is cut in the middle of its start
    const cut = proxy.cutBeforeReply('{queue:work}:consumer-info');
    const error: unknown = await consumer.start().catch((thrown: unknown) => thrown);
    await cut;

    // then it fails with an error of ours, and the next start works
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error).toMatchObject({
      message: expect.stringMatching(/start a consumer of queue "work".*Try again/),
    });
    await consumer.start();
    await waitFor(() => seen.length === 1, { what: 'the message' });
  });

  it('waits for the next connection when the reply to the question which one it has never comes', async () => {
    // given
    await open.broker.declareQueue({ name: 'which' });
    await open.broker.sendToQueue('which', 1);
    const seen: unknown[] = [];
    const consumer = open.broker.consumer({ queue: 'which', handler: (value) => void seen.push(value) });
    // when its connection is cut in the middle of its start
    const cut = proxy.cutBeforeReply('CLIENT\r\n$2\r\nID');
    const started = consumer.start();
    await cut;
    // then it asks the next one
    await started;
    await waitFor(() => seen.length === 1, { what: 'the message' });
  });

  it('fails so too when it does not know the settings of the queue yet', async () => {
    // given a process that has declared nothing itself
    const prefix = ownPrefix();
    const owner = await openBroker(server, prefix);
    await owner.broker.declareQueue({ name: 'elsewhere' });
    const { broker, close } = await openBroker(proxy, prefix);
    const consumer = broker.consumer({ queue: 'elsewhere', handler: () => undefined });

    // when
    const cut = proxy.cutBeforeReply('{topology}:bindings');
    const error: unknown = await consumer.start().catch((thrown: unknown) => thrown);
    await cut;

    // then
    expect(error).toBeInstanceOf(UnavailableError);
    await consumer.start();
    await Promise.all([close(), owner.close()]);
  });

  it('registers at a full Redis too: it is there to drain it', async () => {
    // given a message in a Redis that takes no more
    await open.broker.declareQueue({ name: 'full' });
    await open.broker.sendToQueue('full', 1);
    await open.connection.commands.config('SET', 'maxmemory', '1mb');
    await expect(open.connection.commands.set('x', 'y')).rejects.toThrow(/OOM/);

    // when a consumer starts
    const seen: unknown[] = [];
    await open.broker.consumer({ queue: 'full', handler: (value) => void seen.push(value) }).start();

    // then it handles it
    await waitFor(() => seen.length === 1, { what: 'the message' });
    await waitFor(async () => (await open.broker.queue('full').counts()).unacked === 0, { what: 'the settlement' });
  });
});
