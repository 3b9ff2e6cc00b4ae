import { afterAll, describe, expect, it } from '@jest/globals';
import { startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

describe('a queue with priorities', () => {
  afterAll(stopEverything);

  it('gives what is of the lowest in its order, also when what stood before it was cancelled', async () => {
    // given messages as a trimming pass leaves them, of which the first are cancelled, and others that came later
    const server = await startRedis();
    const prefix = ownPrefix();
    const { broker, close } = await openBroker(server, prefix);
    await broker.declareQueue({ name: 'q', priorities: 2 });
    const publish = (n: number) => broker.sendToQueue('q', n, { messageId: `m${n}` });
    for (let n = 0; n < 12; n++) await publish(n);
    const base = `${prefix}:{queue:q}`;
    await server.client().rename(`${base}:ready`, `${base}:front`);
    for (let n = 12; n < 18; n++) await publish(n);
    for (let n = 0; n < 10; n++) expect(await broker.queue('q').cancel(`m${n}`)).toBe('cancelled');
    // when
    const seen: unknown[] = [];
    await broker.consumer({ queue: 'q', prefetch: 50, concurrency: 1, handler: (n) => void seen.push(n) }).start();
    // then
    await waitFor(() => seen.length === 8, { what: 'all to be handled' });
    expect(seen).toEqual([10, 11, 12, 13, 14, 15, 16, 17]);
    await close();
  });
});
