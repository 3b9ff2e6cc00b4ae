import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Fifo } from '@millrace/core';
import { RedisConnection } from '@millrace/redis';
import { type RedisServer, startRedis, stopEverything } from '@millrace/testing';
import { consumerKeys } from '../../libs/queue/src/store/consumer-keys.js';
import type { Taken } from '../../libs/queue/src/store/taken.js';
import { Outbox } from '../../libs/queue/src/turns/outbox.js';
import { Reconciliation } from '../../libs/queue/src/turns/reconciliation.js';
import type { TurnContext } from '../../libs/queue/src/turns/turn-context.js';
import { TurnNumbers } from '../../libs/queue/src/turns/turn-numbers.js';

describe('a consumer that reconciles what it holds with what Redis has', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  it('adopts what it does not know of, and not what ends while the reply is on its way', async () => {
    // given a consumer that holds one of two messages
    const connection = await new RedisConnection(server.connection).open();
    const client = connection.commands;
    const keys = consumerKeys(connection.prefix, 'work', 'me', 1);
    await client.sadd(keys.unacked, 'held', 'unknown');
    await client.hset(keys.all.messages, { held: 'a frame', unknown: 'another' });
    const held = new Set(['held']);
    const taken: string[] = [];
    const outbox = new Outbox();
    const buffer: Pick<TurnContext, 'ids' | 'count' | 'take'> = {
      ids: () => new Set(held),
      get count() {
        return held.size;
      },
      take: (messages: Fifo<Taken>) => taken.push(...[...messages].map(({ id }) => id)),
    };
    const reconciliation = new Reconciliation(buffer, outbox, new TurnNumbers());
    reconciliation.require();
    // when its handler ends while Redis is asked
    const reconciled = reconciliation.reconcile(client, keys, () => true);
    held.delete('held');
    outbox.acknowledge('held');
    await reconciled;
    // then that message is not handled a second time
    expect(taken).toEqual(['unknown']);
    expect([...outbox.ids()]).toEqual(['held']);
    connection.close();
  });
});
