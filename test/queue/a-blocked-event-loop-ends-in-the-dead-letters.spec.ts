import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { type OpenBroker, openBroker, ownPrefix } from './broker.js';
import { spawnConsumer } from './consuming.js';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(stopEverything);

/** A queue that gives a message two more chances, with these in it. */
async function queueWith(bodies: readonly object[]) {
  const prefix = ownPrefix();
  const opened = await openBroker(server, prefix);
  await opened.broker.declareQueue({ name: 'q', deliveryLimit: 2 });
  await opened.broker.publishBatch(bodies.map((body) => ({ exchange: '', routingKey: 'q', body })));
  const spawn = (options: object) => spawnConsumer(server, prefix, 'q', { prefetch: 4, ...options });
  return { ...opened, spawn };
}

async function deadLettersOf({ broker }: OpenBroker) {
  const { messages } = await broker.queue('q.dead-letters').deadLetters.list();
  return messages.map((message) => ({ payload: JSON.parse(message.body.toString()), death: message.deaths[0] }));
}

const isDone =
  ({ broker }: OpenBroker) =>
  async () => {
    const { ready, unacked, dying, delayed } = await broker.queue('q').counts();
    return ready + unacked + dying + delayed === 0;
  };

const numbersOf = (lines: readonly string[], what: string) =>
  new Set(lines.flatMap((line) => new RegExp(`^${what} \\S+ \\{"n":(\\d)`).exec(line)?.[1] ?? []));

/** Far beyond a lease of 500 ms: the other process has to end it before the handler that blocks does. */
const blockMs = 3000;

describe('a message whose handler takes its consumer down', () => {
  it('is dead-lettered with its reason, and not what its consumers held beside it, when it blocks the event loop', async () => {
    // given two processes, one of which holds such a message and three more that wait behind it
    const queue = await queueWith([{ blockMs }, { n: 1 }, { n: 2 }, { n: 3 }]);
    const processes = await Promise.all([0, 1].map(() => queue.spawn({ leaseMs: 500, concurrency: 1 })));
    // when it comes again each time that the lease of its consumer has run out
    await waitFor(isDone(queue), { what: 'all to be done', timeoutMs: 60_000 });
    // then
    const lines = processes.flatMap((one) => one.lines);
    const dead = await deadLettersOf(queue);
    expect(dead.map(({ payload }) => payload)).toEqual([{ blockMs }]);
    expect(dead[0]?.death).toMatchObject({ reason: 'delivery_limit', error: { name: 'LeaseLostError' } });
    expect(dead[0]?.death?.error?.message).toMatch(/3 times.*lease expired while it was handled.*or its process died/);
    expect(lines.filter((line) => line.includes('blockMs') && line.startsWith('got'))).toHaveLength(3);
    expect(numbersOf(lines, 'done')).toEqual(new Set(['1', '2', '3']));
    await Promise.all(processes.map((one) => one.stop()));
    await queue.close();
  }, 90_000);

  it('is dead-lettered, and not what was handled beside it, when it ends the process', async () => {
    // given such a message among three innocent ones, and a consumer that takes nothing but notices deaths
    const innocent = [1, 2, 3].map((n) => ({ n, waitMs: 100 }));
    const queue = await queueWith([...innocent.slice(0, 1), { die: true }, ...innocent.slice(1)]);
    const watching = queue.broker.consumer({ queue: 'q', priority: -1, handler: () => undefined });
    watching.pause();
    await watching.start();
    // when
    const lines: string[] = [];
    for (let death = 1; death <= 3; death++) {
      const victim = await queue.spawn({ concurrency: 4 });
      await victim.exited;
      lines.push(...victim.lines);
      await waitFor(async () => (await queue.broker.queue('q').counts()).unacked === 0, { what: 'it to be noticed' });
    }
    const survivor = await queue.spawn({ concurrency: 4 });
    // then
    await waitFor(isDone(queue), { what: 'all to be done' });
    lines.push(...survivor.lines);
    expect((await deadLettersOf(queue)).map(({ payload }) => payload)).toEqual([{ die: true }]);
    expect(numbersOf(lines, 'done')).toEqual(new Set(['1', '2', '3']));
    await survivor.stop();
    await queue.close();
  });
});
