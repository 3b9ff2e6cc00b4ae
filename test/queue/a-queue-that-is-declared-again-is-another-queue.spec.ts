import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { QueueDeclaration } from '@millrace/queue';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { type OpenBroker, openBroker, ownPrefix } from './broker.js';

let server: RedisServer;
let prefix: string;
let operator: OpenBroker;
let service: OpenBroker;
beforeAll(async () => {
  server = await startRedis();
  prefix = ownPrefix();
  operator = await openBroker(server, prefix);
  service = await openBroker(server, prefix);
});
afterAll(async () => {
  await Promise.all([operator.close(), service.close()]);
  await stopEverything();
});

type Settings = Omit<QueueDeclaration, 'name'>;
let queues = 0;

/** An idle consumer of a queue, in another process than the one that then deletes the queue and declares it with other settings. */
async function replaced(before: Settings, after: Settings) {
  const name = `q-${++queues}`;
  await operator.broker.declareQueue({ name, ...before });
  const handled: unknown[] = [];
  const consumer = service.broker.consumer({ queue: name, handler: (value) => void handled.push(value) });
  await consumer.start();
  await service.broker.sendToQueue(name, 'before');
  await waitFor(() => handled.length === 1, { what: 'the first message' });
  await waitFor(async () => (await operator.broker.queue(name).counts()).unacked === 0, { what: 'its end' });
  await operator.broker.deleteQueue(name);
  await operator.broker.declareQueue({ name, ...after });
  return { name, handled, consumer };
}

describe('a queue that is deleted and declared again', () => {
  const changes: [what: string, before: Settings, after: Settings][] = [
    ['with the settings it had', {}, {}],
    ['with more priorities', {}, { priorities: 5 }],
    ['with fewer priorities', { priorities: 5 }, {}],
    ['with shards', {}, { shards: 3 }],
    ['with more shards', { shards: 2 }, { shards: 4 }],
    ['with fewer shards', { shards: 3 }, { shards: 2 }],
    ['without shards', { shards: 3 }, {}],
  ];

  it.each(changes)('is consumed whole by who consumed the old one: %s', async (_what, before, after) => {
    // given a consumer that waited at the old queue
    const { name, handled, consumer } = await replaced(before, after);

    // when messages come, from a process that knew the old one, and from the one that knows the new one
    const values = Array.from({ length: 24 }, (_, index) => index);
    await Promise.all(
      values.map((value) => {
        const { broker } = value % 2 === 0 ? service : operator;
        return broker.sendToQueue(name, value, { priority: value % 5 });
      }),
    );

    // then it handles each once, long before its next heartbeat at rest
    await waitFor(() => handled.length === 25, { what: 'all to be handled', timeoutMs: 5000 });
    expect([...handled.slice(1)].sort((a, b) => Number(a) - Number(b))).toEqual(values);
    await consumer.stop();
  });

  it('can be declared long after it was deleted', async () => {
    const name = `q-${++queues}`;
    await operator.broker.declareQueue({ name });
    const handled: unknown[] = [];
    const consumer = service.broker.consumer({ queue: name, handler: (value) => void handled.push(value) });
    await consumer.start();
    const failures: unknown[] = [];
    service.broker.events.on('background-error', ({ error }) => failures.push(error));
    await operator.broker.deleteQueue(name);
    await waitFor(() => failures.length >= 2, { what: 'the consumer to look for its queue' });
    await operator.broker.declareQueue({ name, shards: 2 });
    await operator.broker.sendToQueue(name, 'a', { shardKey: 'a' });
    await operator.broker.sendToQueue(name, 'b', { shardKey: 'b' });
    await waitFor(() => handled.length === 2, { what: 'both messages' });
    await consumer.stop();
  });

  it('is consumed by a consumer that waited for a delayed message of the old one, also if that was due while there was none', async () => {
    // given a consumer that is to make a message ready, whose queue is deleted
    const name = `q-${++queues}`;
    await operator.broker.declareQueue({ name });
    const handled: unknown[] = [];
    const consumer = service.broker.consumer({ queue: name, handler: (value) => void handled.push(value) });
    await consumer.start();
    await operator.broker.sendToQueue(name, 'old', { delayMs: 1000 });
    const dueAt = performance.now() + 1000;
    const redis = server.client({ keyPrefix: `${prefix}:{queue:${name}}:` });
    await waitFor(() => redis.hexists('state', 'keeper'), { what: 'the consumer to know when it is due' });
    await operator.broker.deleteQueue(name);

    // when its time has come, and then the queue is declared again
    await waitFor(() => performance.now() > dueAt + 50, { what: 'the time of the old message' });
    await operator.broker.declareQueue({ name });
    await operator.broker.sendToQueue(name, 'new');

    // then
    await waitFor(() => handled.includes('new'), { what: 'the new message to be handled' });
    await consumer.stop();
  });

  it('is seen as it is now by a process that knew the old one', async () => {
    const name = `q-${++queues}`;
    await operator.broker.declareQueue({ name });
    await service.broker.sendToQueue(name, 1);
    await operator.broker.deleteQueue(name);
    await operator.broker.declareQueue({ name, shards: 2 });
    await operator.broker.sendToQueue(name, 2);
    expect(await service.broker.queue(name).counts()).toMatchObject({ ready: 1 });
    expect(await service.broker.declareQueue({ name, shards: 2 })).toMatchObject({ shards: 2 });
  });

  it('leaves nothing of the old one behind', async () => {
    const name = `q-${++queues}`;
    await operator.broker.declareQueue({ name });
    const { consumer } = await (async () => {
      const consumer = service.broker.consumer({ queue: name, handler: () => new Promise(() => undefined) });
      await consumer.start();
      await service.broker.sendToQueue(name, 1);
      await waitFor(() => consumer.status.held === 1, { what: 'the message to be held' });
      return { consumer };
    })();
    await operator.broker.deleteQueue(name);
    await consumer.stop({ deadlineMs: 0 });
    const client = server.client();
    // On a cluster the record of a publish, which expires, stands in the queue's slot.
    const left = async () => {
      const keys = await client.keys(`${prefix}:{queue:${name}}*`);
      return keys.filter((key) => !key.includes('}:published:'));
    };
    await waitFor(async () => (await left()).length === 0, { what: 'no key of it' });
  });

  it('stays when a deletion of the old one ends late', async () => {
    // given an operator who is about to take the queue out of the topology, its slot being gone
    const name = `q-${++queues}`;
    await operator.broker.declareQueue({ name });
    await operator.broker.deleteQueue(name);
    await operator.broker.declareQueue({ name });
    const slow = await openBroker(server, prefix, { upkeep: false });
    await slow.broker.queue(name).counts();
    const { commands } = slow.connection;
    const send = commands.sendCommand.bind(commands);
    const other = async (): Promise<void> => {
      await operator.broker.deleteQueue(name);
      await operator.broker.declareQueue({ name, maxLength: 7 });
      await operator.broker.sendToQueue(name, 'new');
    };
    let scripts = 0;
    commands.sendCommand = (command: Parameters<typeof send>[0], stream?: never) => {
      // 1 reads the topology, 2 removes the slot, 3 reads the topology again.
      if (!/^evalsha/i.test(command.name) || ++scripts !== 3) return send(command, stream);
      void other().then(() => send(command, stream));
      return command.promise;
    };

    // when another deletes it and declares it again meanwhile
    await slow.broker.deleteQueue(name);

    // then that one is there, with its message
    expect(
      (await operator.broker.plan({ queues: [{ name, maxLength: 7 }] })).map(({ action }) => action),
    ).not.toContain('create');
    expect(await operator.broker.queue(name).counts()).toMatchObject({ ready: 1 });
    await slow.close();
  });
});

describe('an exchange that is deleted and declared again', () => {
  it('routes as the new one says, also for a process that knew the old one', async () => {
    await operator.broker.declare({
      exchanges: [{ name: 'e', type: 'fanout' }],
      queues: [{ name: 'bound' }],
      bindings: [{ exchange: 'e', queue: 'bound' }],
    });
    expect(await service.broker.publish('e', 'k', 1)).toMatchObject({ queues: ['bound'] });
    await operator.broker.deleteExchange('e');
    await operator.broker.declareExchange({ name: 'e', type: 'direct' });
    expect(await service.broker.publish('e', 'k', 2)).toMatchObject({ queues: [] });
    await operator.broker.bind({ exchange: 'e', queue: 'bound', routingKey: 'k' });
    expect(await service.broker.publish('e', 'k', 3)).toMatchObject({ queues: ['bound'] });
    expect(await service.broker.publish('e', 'other', 4)).toMatchObject({ queues: [] });
  });
});
