import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(stopEverything);

it('what expired in a queue without consumers is not delivered to the next one, and is a dead letter', async () => {
  // given queues in which messages expire between others; the upkeep looks at them once per second at most
  const { broker, close } = await openBroker(server, ownPrefix());
  const queues = Array.from({ length: 10 }, (_, n) => `q${n}`);
  await broker.declare({
    queues: [{ name: 'dead' }, ...queues.map((name) => ({ name, deadLetter: { queue: 'dead' } }))],
  });
  const sent = queues.flatMap((queue) =>
    ['stays', 'expires', 'stays too'].map((body) => ({
      exchange: '',
      routingKey: queue,
      body: `${queue} ${body}`,
      properties: body === 'expires' ? { expirationMs: 1 } : {},
    })),
  );
  await broker.publishBatch(sent);
  // when consumers come
  const handled: unknown[] = [];
  const handler = (payload: unknown) => void handled.push(payload);
  await Promise.all(queues.map((queue) => broker.consumer({ queue, handler }).start()));
  // then
  const dead = broker.queue('dead').deadLetters;
  const bodies = async () => (await dead.list()).messages.map((message) => message.payload());
  await waitFor(async () => handled.length + (await bodies()).length >= sent.length, { what: 'all to end' });
  expect((await bodies()).sort()).toEqual(queues.map((queue) => `${queue} expires`));
  expect(handled.toSorted()).toEqual(queues.flatMap((queue) => [`${queue} stays`, `${queue} stays too`]));
  // and counts agree with what is there
  const counts = await Promise.all(queues.map((queue) => broker.queue(queue).counts()));
  expect(counts.filter(({ ready, unacked }) => ready + unacked > 0)).toEqual([]);
  await close();
});
