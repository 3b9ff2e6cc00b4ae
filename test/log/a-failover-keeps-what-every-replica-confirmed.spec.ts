import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Log } from '@millrace/log';
import { RedisConnection } from '@millrace/redis';
import { type Replicated, startReplicated, stopEverything } from '@millrace/testing';

// Of several replicas any may be chosen. While Sentinel promotes one, a primary that is back already (after a short freeze or
// a restart) can still be followed by the others, and confirm.
describe('a failover to one of two replicas, while the primary goes on with the other', () => {
  let replicated: Replicated;
  let connection: RedisConnection;
  let log: Log;
  beforeAll(async () => {
    replicated = await startReplicated({ replicas: 2 });
    connection = await new RedisConnection(replicated.primary.connection).open();
    log = new Log(connection);
    await log.declareTopic({ name: 'orders', partitions: 1 });
  });
  afterAll(async () => {
    await log.close();
    connection.close();
    await stopEverything();
  });

  it('loses what one replica confirmed; with acks of all replicas, it had not been confirmed', async () => {
    // given
    const send = (value: string, minReplicas: number) =>
      log
        .producer({ acks: 'all', minReplicas, replicaTimeoutMs: 1500 })
        .send({ topic: 'orders', value })
        .then(
          () => 'confirmed',
          ({ failure }) => failure,
        );
    expect(await send('before', 2)).toBe('confirmed');
    const [promoted] = replicated.replicas;
    await promoted!.client().call('REPLICAOF', 'NO', 'ONE');
    // when
    const answers = [await send('by the other', 1), await send('by both', 2)];
    await replicated.failOver(promoted!);
    // then
    expect(answers).toEqual(['confirmed', 'not-enough-replicas']);
    const after = await new RedisConnection(promoted!.connection).open();
    const kept: unknown[] = [];
    for await (const { value } of new Log(after).read({ topic: 'orders', partition: 0 })) kept.push(value);
    after.close();
    expect(kept).toEqual(['before']);
  });
});
