import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RedisConnection } from '@millrace/redis';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { type OpenBroker, openBroker, ownPrefix } from './broker.js';

/** From now on a consumer that waits for a wake-up waits until it comes: no command behind that wait gets its reply. */
function waitsForEver(connection: RedisConnection): void {
  const blocking = connection.blocking.bind(connection);
  connection.blocking = async (...args) => {
    const client = await blocking(...args);
    const pop = client.blpopBuffer.bind(client) as (key: string, seconds: number) => Promise<[Buffer, Buffer] | null>;
    Object.assign(client, { blpopBuffer: (key: string) => pop(key, 0) });
    return client;
  };
}

describe('a consumer that waits to be woken', () => {
  let server: RedisServer;
  let opened: OpenBroker;
  let prefix: string;
  const seen: unknown[] = [];
  let keys: ReturnType<RedisServer['client']>;
  /** The registered consumers: id and info. */
  const registered = () => keys.hgetall('consumer-info');

  beforeAll(async () => {
    server = await startRedis();
    prefix = ownPrefix();
    keys = server.client({ keyPrefix: `${prefix}:{queue:q}:` });
    // Nor does a time-out end its wait.
    opened = await openBroker({ connection: { ...server.connection, commandTimeoutMs: 60_000 } }, prefix);
    waitsForEver(opened.connection);
    await opened.broker.declareQueue({ name: 'q' });
    await opened.broker.consumer({ queue: 'q', leaseMs: 900, handler: (payload) => void seen.push(payload) }).start();
  });
  afterAll(stopEverything);

  it('registers its new id when its other connection was replaced', async () => {
    // given
    await waitFor(async () => (await keys.zcard('idle')) === 1, { what: 'it to wait' });
    const [id = '', before] = Object.entries(await registered())[0] ?? [];
    // when
    opened.connection.commands.disconnect(true);
    // then: while its wait goes on
    await waitFor(async () => ![undefined, before].includes((await registered())[id]), {
      what: 'its new connection to be registered',
    });
  });

  it('registers again when its lease was lost, and handles what comes', async () => {
    // given
    await waitFor(async () => (await keys.zcard('idle')) === 1, { what: 'it to wait' });
    const [lost = ''] = await keys.zrange('consumers', '0', '-1');
    // when
    await keys.zrem('consumers', lost);
    // then: while its wait goes on
    await waitFor(async () => (await keys.zcard('consumers')) === 1, { what: 'a new registration' });
    expect(await keys.zscore('consumers', lost)).toBeNull();
    await opened.broker.sendToQueue('q', 'hello');
    await waitFor(() => seen.includes('hello'), { what: 'the message to be handled' });
    await opened.close();
  });
});
