import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type FaultProxy, type RedisServer, startProxy, startRedis, stopEverything, waitFor } from '@millrace/testing';

/** A client that reports every loss to its caller and repeats nothing by itself. */
const honest = { maxRetriesPerRequest: 0, autoResendUnfulfilledCommands: false } as const;

describe('a proxy before Redis', () => {
  let server: RedisServer;
  let proxy: FaultProxy;
  beforeAll(async () => {
    server = await startRedis({ password: 'pässword/1' });
    proxy = await startProxy(server);
  });
  afterEach(() => proxy.restore());
  afterAll(stopEverything);

  it('hands everything on, in both protocols, also megabytes and what is published', async () => {
    for (const protocol of [2, 3] as const) {
      const client = proxy.client({ protocol });
      const big = 'x'.repeat(3_000_000);
      await client.set(`big${protocol}`, big);
      expect(await client.get(`big${protocol}`)).toBe(big);
      const subscriber = proxy.client({ protocol });
      const heard = once(subscriber, 'message');
      await subscriber.subscribe('news');
      await client.publish('news', 'hello');
      expect(await heard).toEqual(['news', 'hello']);
      subscriber.disconnect();
    }
  });

  it('delays each way, and keeps the order when the delay gets shorter', async () => {
    const client = proxy.client(honest);
    await client.ping();
    proxy.delay(40);
    const startedAt = performance.now();
    await client.ping();
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(79);

    const slow = client.rpush('order', 'first');
    proxy.delay(0);
    await Promise.all([slow, client.rpush('order', 'second')]);
    expect(await client.lrange('order', 0, -1)).toEqual(['first', 'second']);
  });

  it('swallows everything while connections stay open', async () => {
    // given
    const client = proxy.client(honest);
    await client.ping();
    client.options.commandTimeout = 100;
    let isClosed = false;
    client.once('close', () => {
      isClosed = true;
    });
    // when
    proxy.drop();
    // then
    await expect(client.set('dropped', '1')).rejects.toThrow('Command timed out');
    expect(client.status).toBe('ready');
    expect(await server.client().exists('dropped')).toBe(0);
    // and the connection with a hole in it is cut when the network is back, so the client dials again
    await proxy.restore();
    await waitFor(() => isClosed, { what: 'the connection to be cut' });
    client.options.commandTimeout = undefined;
    await waitFor(() => client.set('dropped', '2'), { what: 'the client to be back' });
  });

  it('cuts every connection and refuses new ones until it accepts again', async () => {
    // given
    const client = proxy.client(honest);
    await client.ping();
    const errors: string[] = [];
    client.on('error', (error: Error) => errors.push(error.message));
    // when
    proxy.refuse();
    expect(await client.ping()).toBe('PONG');
    proxy.cut();
    await waitFor(() => errors.some((message) => message.includes('ECONNREFUSED')), { what: 'a refused dial' });
    // then
    await proxy.accept();
    await waitFor(() => client.ping(), { what: 'the client to be back' });
  });
});
