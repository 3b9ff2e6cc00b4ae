import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { UnroutableError } from '@millrace/core';
import type { Broker } from '@millrace/queue';
import { startRedis, stopEverything } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

describe('a publish that no binding matches', () => {
  let broker: Broker;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ broker, close } = await openBroker(await startRedis(), ownPrefix()));
    await broker.declare({
      exchanges: [
        { name: 'e', type: 'direct' },
        { name: 'covered', type: 'direct', alternateExchange: 'rest' },
        { name: 'rest', type: 'fanout' },
      ],
      queues: [{ name: 'a' }, { name: 'rest' }, { name: 'tiny', maxLength: 1, overflow: 'reject-publish' }],
      bindings: [
        { exchange: 'e', queue: 'a', routingKey: 'a' },
        { exchange: 'e', queue: 'tiny', routingKey: 'tiny' },
        { exchange: 'rest', queue: 'rest' },
      ],
    });
  });
  afterAll(async () => {
    await close();
    await stopEverything();
  });

  it('is confirmed as unroutable', async () => {
    expect(await broker.publish('e', 'b', 1)).toMatchObject({ queues: [], isUnroutable: true, refused: [] });
  });

  it('is an error when it is mandatory', async () => {
    await expect(broker.publish('e', 'b', 1, { mandatory: true })).rejects.toThrow(UnroutableError);
    await expect(broker.publish('', 'no-queue', 1, { mandatory: true })).rejects.toThrow(/matches no binding/);
    expect((await broker.publish('e', 'a', 1, { mandatory: true })).queues).toEqual(['a']);
  });

  it('counts as routed when the alternate exchange takes it', async () => {
    expect((await broker.publish('covered', 'b', 1, { mandatory: true })).queues).toEqual(['rest']);
  });

  it('is an error too when every queue refuses it', async () => {
    await broker.publish('e', 'tiny', 1, { mandatory: true });
    await expect(broker.publish('e', 'tiny', 2, { mandatory: true })).rejects.toThrow(/queue "tiny" \(maxlen\)/);
  });
});
