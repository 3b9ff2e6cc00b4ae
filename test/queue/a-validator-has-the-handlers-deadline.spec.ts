import { afterAll, describe, expect, it } from '@jest/globals';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { handlerInto, validatorStuckAtPoison } from '../poison.js';
import { openBroker, ownPrefix } from './broker.js';

describe('a validator that never settles', () => {
  let server: RedisServer | undefined;
  afterAll(stopEverything);

  it.each(['message', 'batch'])('has the deadline of the handler, of a %s: the others go on', async (kind) => {
    // given
    server ??= await startRedis();
    const { broker, close } = await openBroker(server, ownPrefix());
    await broker.declareQueue({ name: 'q' });
    const { validated, options } = validatorStuckAtPoison();
    const handled: unknown[] = [];
    const consumer = broker.consumer({ queue: 'q', ...options, ...handlerInto(handled, kind) });
    // when
    for (const body of ['first', 'poison', 'last']) await broker.sendToQueue('q', body);
    await consumer.start();
    // then
    const dead = broker.queue('q.dead-letters');
    await waitFor(async () => (await dead.counts()).ready === 1, { what: 'the dead letter' });
    await waitFor(() => handled.length === 2, { what: 'the others' });
    expect(handled.toSorted()).toEqual(['first', 'last']);
    expect(validated.filter((value) => value === 'poison')).toHaveLength(2);
    expect((await dead.ready()).messages[0]?.deaths[0]).toMatchObject({ error: { name: 'DeadlineExceededError' } });
    await close();
  });
});
