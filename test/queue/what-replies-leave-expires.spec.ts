import { afterAll, describe, expect, it } from '@jest/globals';
import { startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

describe('what replies leave in Redis', () => {
  afterAll(stopEverything);

  it('has an expiry: of a process that is gone nothing stays', async () => {
    // given a reply and a stream of replies whose requester dies
    const server = await startRedis();
    const prefix = ownPrefix();
    const [asking, answering] = [await openBroker(server, prefix), await openBroker(server, prefix)];
    await answering.broker.declareQueue({ name: 'q' });
    const handler = (payload: unknown): unknown => (payload === 'stream' ? rows() : payload);
    await answering.broker.consumer({ queue: 'q', keepResultMs: 60_000, handler }).start();
    await asking.broker.request('', 'q', 'one');
    const stream = asking.broker.requestStream('', 'q', 'stream')[Symbol.asyncIterator]();
    for (let n = 0; n < 40; n++) expect(await stream.next()).toEqual({ done: false, value: n });
    const redis = server.client();
    const keysOf = async () =>
      (await redis.keys(`${prefix}:*`)).filter((key) => /:(replies|consumed)$|result/.test(key));
    await waitFor(async () => (await keysOf()).length >= 3, { what: 'what they leave' });
    // when
    asking.connection.close();
    // then
    const expiries = await Promise.all((await keysOf()).map(async (key) => [key, (await redis.pttl(key)) > 0]));
    expect(expiries.filter(([, expires]) => !expires)).toEqual([]);
    await answering.close();
    await stream.return?.();
  });
});

async function* rows(): AsyncGenerator<number> {
  for (let n = 0; n < 300; n++) yield n;
}
