import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisServer, startRedis } from '@millrace/testing';
import { openMillraceQueue } from '../peers/millrace-queue.js';
import type { Place } from '../place.js';
import type { OpenQueuePeer, QueueHandler } from '../queue-peer.js';
import { measureBurst } from './burst.js';

// Every scenario keeps a ledger of ids; this one runs in a second or two.

let server: RedisServer;
let place: Place;

beforeAll(async () => {
  server = await startRedis();
  place = { durability: 'none', quick: true, round: 0, warmUpMs: 10, windowMs: 10, redisUrl: server.url };
});
afterAll(() => server.stop());

/** Our queue with a fault between it and the handler. */
function faulty(name: string, fault: (handler: QueueHandler) => QueueHandler): OpenQueuePeer {
  return async (at) => {
    const queue = await openMillraceQueue(at, name);
    return { ...queue, consume: (handler, options) => queue.consume(fault(handler), options) };
  };
}

describe('a burst', () => {
  it('reports how long it took, and that each message was handled exactly once', async () => {
    const { values, delivery } = await measureBurst(place, openMillraceQueue, 'millrace');
    expect(delivery).toEqual({ sent: 30_000, duplicates: 0 });
    expect(values).toEqual({ burst: expect.any(Number), 'burst.first': expect.any(Number) });
    expect(values['burst.first']).toBeLessThan(values.burst ?? 0);
  });

  it('fails when a message is lost, and names it', async () => {
    // given: one message never reaches its handler, another comes twice, so that the number of deliveries is right
    const losing = faulty('losing', (handler) => (message) => {
      if (message.id === 17) return undefined;
      if (message.id === 18) handler(message);
      return handler(message);
    });
    // then
    await expect(measureBurst(place, losing, 'millrace', { stalledAfterMs: 1500 })).rejects.toThrow(
      'lost 1 of 10000 messages: not handled for 1500 ms: ids 17',
    );
  });

  it('counts what is delivered twice', async () => {
    const repeating = faulty('repeating', (handler) => (message) => {
      if (message.id % 1000 === 0) handler(message);
      return handler(message);
    });
    const { delivery } = await measureBurst(place, repeating, 'millrace');
    expect(delivery).toEqual({ sent: 30_000, duplicates: 30 });
  });
});
