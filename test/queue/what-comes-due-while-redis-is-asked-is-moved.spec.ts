import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RedisConnection } from '@millrace/redis';
import { type RedisServer, startRedis, stopEverything } from '@millrace/testing';
import { consumerKeys } from '../../libs/queue/src/store/consumer-keys.js';
import { DueTimer } from '../../libs/queue/src/turns/due-timer.js';
import { Outbox } from '../../libs/queue/src/turns/outbox.js';
import type { TurnContext } from '../../libs/queue/src/turns/turn-context.js';
import { TurnNumbers } from '../../libs/queue/src/turns/turn-numbers.js';
import { TurnRequests } from '../../libs/queue/src/turns/turn-requests.js';

/** A consumer that has room for nothing: it makes turns to settle, and to move what is due. */
const full: TurnContext = {
  wanted: () => 0,
  maxBytes: undefined,
  fetchSize: 10,
  mayAskAhead: false,
  take: () => undefined,
  begin: () => undefined,
  ids: () => new Set(),
  count: 0,
};

describe('a consumer that has a turn under way', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  it('moves with the next one what came due meanwhile', async () => {
    // given
    const connection = await new RedisConnection(server.connection).open();
    const client = connection.commands;
    const keys = consumerKeys(connection.prefix, 'work', 'me', 1);
    await client.zadd(keys.all.consumers, Date.now() + 60_000, 'me');
    await client.hset(keys.all.messages, 'delayed', Buffer.from([1, 0, 0, 0, 0]));
    await client.zadd(keys.all.delayed, 1, 'delayed');
    const [outbox, due] = [new Outbox(), new DueTimer(() => undefined)];
    const parts = { reconciliation: { isAgreed: true }, outlook: { hasBacklog: false } };
    const turns = new TurnRequests({
      ...parts,
      leaseMs: 60_000,
      buffer: full,
      outbox,
      numbers: new TurnNumbers(),
      due,
    });
    const make = async (meanwhile: () => void) => {
      const sent = turns.next(client, keys);
      meanwhile();
      await sent?.answer;
      turns.ended();
      if (sent !== undefined) turns.confirmed(sent);
      return sent?.plan;
    };
    // when something comes due while a turn is under way that was sent without knowing
    outbox.acknowledge('handled');
    const first = await make(() => {
      due.isDue = true;
    });
    // then the next one moves it, and that is all
    const second = await make(() => undefined);
    expect([first?.movesDue, second?.movesDue]).toEqual([false, true]);
    expect(await client.lrange(keys.all.ready, 0, -1)).toEqual(['delayed']);
    expect(turns.next(client, keys)).toBeUndefined();
    connection.close();
  });
});
