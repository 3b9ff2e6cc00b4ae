import { afterAll, describe, expect, it } from '@jest/globals';
import { WriteError } from '@millrace/core';
import type { Receipt } from '@millrace/queue';
import { startRedis, stopEverything } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

describe('a full Redis', () => {
  afterAll(stopEverything);

  it('loses nothing that was confirmed, confirms nothing that it did not take, and goes on when there is room', async () => {
    // given
    const server = await startRedis({ maxmemory: '20mb' });
    const prefix = ownPrefix();
    const { broker, close } = await openBroker(server, prefix, { deliveryTimeoutMs: 5000 });
    await broker.declareQueue({ name: 'q' });
    // when
    const body = 'x'.repeat(2000);
    const results: PromiseSettledResult<Receipt>[] = [];
    for (let wave = 0; wave < 40 && results.at(-1)?.status !== 'rejected'; wave++) {
      results.push(...(await Promise.allSettled(Array.from({ length: 500 }, () => broker.sendToQueue('q', body)))));
    }
    // then
    const client = server.client();
    const held = new Set(await client.hkeys(`${prefix}:{queue:q}:messages`));
    const confirmed = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value.messageId] : []));
    const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    expect(errors.length).toBeGreaterThan(0);
    expect(confirmed.length).toBeGreaterThan(100);
    for (const error of errors) {
      expect(error).toBeInstanceOf(WriteError);
      expect(error).toMatchObject({ failure: 'full', mayBeWritten: false });
    }
    expect([...held].sort()).toEqual(confirmed.sort());
    expect(await client.llen(`${prefix}:{queue:q}:ready`)).toBe(confirmed.length);
    await client.config('SET', 'maxmemory', '0');
    expect(await broker.sendToQueue('q', body)).toMatchObject({ queues: ['q'], refused: [] });
    await close();
  });

  it('can be emptied, and takes what waits for room when there is some', async () => {
    const server = await startRedis();
    const { broker, close } = await openBroker(server, ownPrefix());
    await broker.declare({ queues: [{ name: 'q' }, { name: 'other' }] });
    await broker.sendToQueue('q', 1);
    const client = server.client();
    // given
    await client.config('SET', 'maxmemory', '1');
    const waiting = broker.sendToQueue('q', 'waits');
    // when
    expect(await broker.deleteQueue('other')).toBe(true);
    await client.config('SET', 'maxmemory', '0');
    // then
    expect((await waiting).queues).toEqual(['q']);
    await close();
  });
});
