import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Overview, readSources } from '@millrace/admin';
import { messageOf } from '@millrace/core';
import { FirstUse } from '@millrace/delivery';
import { Log } from '@millrace/log';
import { Broker } from '@millrace/queue';
import { RedisConnection } from '@millrace/redis';
import { type RedisServer, startRedis, stopEverything } from '@millrace/testing';

/** What a process has that has just begun: nothing is connected yet. */
interface Beginning {
  readonly connection: RedisConnection;
  readonly broker: Broker;
  readonly log: Log;
}

/** An object of the API, and a first call of each of its methods: one that has none here fails the test. */
interface Handle {
  of(beginning: Beginning): object;
  readonly acts: Record<string, (beginning: Beginning) => unknown>;
}

const handler = (payload: unknown): unknown => payload;

const handles: Record<string, Handle> = {
  Broker: {
    of: ({ broker }) => broker,
    acts: {
      declareExchange: ({ broker }) => broker.declareExchange({ name: 'events', type: 'topic' }),
      declareQueue: ({ broker }) => broker.declareQueue({ name: 'work', keepCompleted: { count: 1 } }),
      bind: ({ broker }) => broker.bind({ exchange: 'events', queue: 'work', routingKey: 'a' }),
      unbind: ({ broker }) => broker.unbind({ exchange: 'events', queue: 'work', routingKey: 'b' }),
      deleteExchange: ({ broker }) => broker.deleteExchange('none'),
      deleteQueue: ({ broker }) => broker.deleteQueue('none'),
      plan: ({ broker }) => broker.plan({ queues: [{ name: 'new' }] }),
      declare: ({ broker }) => broker.declare({ queues: [{ name: 'new' }] }),
      publish: ({ broker }) => broker.publish('events', 'a', 1),
      sendToQueue: ({ broker }) => broker.sendToQueue('work', 1),
      sendBatchToQueue: ({ broker }) => broker.sendBatchToQueue('work', [{ body: 1 }]),
      publishBatch: ({ broker }) => broker.publishBatch([{ exchange: 'events', routingKey: 'a', body: 1 }]),
      consumer: ({ broker }) => broker.consumer({ queue: 'paused', handler }).start(),
      queue: ({ broker }) => broker.queue('work'),
      request: ({ broker }) => broker.request('', 'answered', 1),
      requestStream: ({ broker }) => all(broker.requestStream('', 'answered', 1)),
      beforeFirstPublish: ({ broker }) => broker.beforeFirstPublish(new FirstUse(async () => undefined)),
      feedTopics: ({ broker }) =>
        broker.feedTopics({ assertTopic: async () => undefined, append: async () => never() }),
      close: ({ broker }) => broker.close(),
    },
  },
  QueueHandle: {
    of: ({ broker }) => broker.queue('work'),
    acts: {
      message: ({ broker }) => broker.queue('work').message('m'),
      cancel: ({ broker }) => broker.queue('work').cancel('m'),
      delayed: ({ broker }) => broker.queue('work').delayed(),
      parked: ({ broker }) => broker.queue('work').parked(),
      completed: ({ broker }) => broker.queue('work').completed(),
      purgeCompleted: ({ broker }) => broker.queue('work').purgeCompleted(),
      ready: ({ broker }) => broker.queue('work').ready(),
      unpark: ({ broker }) => broker.queue('work').unpark(),
      remove: ({ broker }) => broker.queue('work').remove('m'),
      pause: ({ broker }) => broker.queue('paused').pause(),
      resume: ({ broker }) => broker.queue('paused').resume(),
      isPaused: ({ broker }) => broker.queue('work').isPaused(),
      counts: ({ broker }) => broker.queue('work').counts(),
      priorities: ({ broker }) => broker.queue('work').priorities(),
    },
  },
  DeadLetterQueue: {
    of: ({ broker }) => broker.queue('work').deadLetters,
    acts: {
      list: ({ broker }) => broker.queue('work').deadLetters.list(),
      get: ({ broker }) => broker.queue('work').deadLetters.get('m'),
      edit: ({ broker }) => broker.queue('work').deadLetters.edit('m', { payload: 1 }),
      redrive: ({ broker }) => broker.queue('paused').deadLetters.redrive(),
      purge: ({ broker }) => broker.queue('paused').deadLetters.purge(),
    },
  },
  Log: {
    of: ({ log }) => log,
    acts: {
      declareTopic: ({ log }) => log.declareTopic({ name: 'records' }),
      describeTopic: ({ log }) => log.describeTopic('records'),
      listTopics: ({ log }) => log.listTopics(),
      deleteTopic: ({ log }) => log.deleteTopic('none'),
      addPartitions: ({ log }) => log.addPartitions('grows', 2),
      alterTopic: ({ log }) => log.alterTopic('grows', { retention: { maxAgeMs: 60_000 } }),
      deleteRecords: ({ log }) => log.deleteRecords('records', 0, 0),
      applyRetention: ({ log }) => log.applyRetention('records'),
      removeForeignEntries: ({ log }) => log.removeForeignEntries('records'),
      topic: ({ log }) => log.topic('records'),
      producer: ({ log }) => log.producer(),
      beforeFirstUnknownTopic: ({ log }) => log.beforeFirstUnknownTopic(new FirstUse(async () => undefined)),
      consumer: ({ log }) => log.consumer({ group: 'joins', topics: 'records', handler }).start(),
      redrive: ({ log }) => log.redrive({ topic: 'records.dead-letters' }),
      beginOffset: ({ log }) => log.beginOffset('records', 0),
      endOffset: ({ log }) => log.endOffset('records', 0),
      offsetForTimestamp: ({ log }) => log.offsetForTimestamp('records', 0, 0),
      read: ({ log }) => all(log.read({ topic: 'records', partition: 0 })),
      readBatches: ({ log }) => all(log.readBatches({ topic: 'records', partition: 0 })),
      close: ({ log }) => log.close(),
    },
  },
  TopicHandle: {
    of: ({ log }) => log.topic('records'),
    acts: {
      send: ({ log }) => log.topic('records').send({ value: 1 }),
      sendBatch: ({ log }) => log.topic('records').sendBatch([{ value: 1 }]),
      read: ({ log }) => all(log.topic('records').read({ partition: 0 })),
      readBatches: ({ log }) => all(log.topic('records').readBatches({ partition: 0 })),
      describe: ({ log }) => log.topic('records').describe(),
      lag: ({ log }) => log.topic('records').lag('readers'),
      redrive: ({ log }) => log.topic('records').redrive(),
    },
  },
  Groups: {
    of: ({ log }) => log.groups,
    acts: {
      list: ({ log }) => log.groups.list(),
      describe: ({ log }) => log.groups.describe('readers'),
      lag: ({ log }) => log.groups.lag('readers'),
      resetOffsets: ({ log }) => log.groups.resetOffsets('readers', { topic: 'records', to: 'earliest' }),
      delete: ({ log }) => log.groups.delete('none'),
      deleteOffsets: ({ log }) => log.groups.deleteOffsets('forgets', 'records'),
      removeMember: ({ log }) => log.groups.removeMember('readers', 'm'),
      expire: ({ log }) => log.groups.expire('expires', 0),
    },
  },
  Producer: {
    of: ({ log }) => log.producer(),
    acts: {
      send: ({ log }) => log.producer().send({ topic: 'records', value: 1 }),
      sendBatch: ({ log }) => log.producer().sendBatch([{ topic: 'records', value: 1 }]),
      flush: ({ log }) => log.producer().flush(),
      close: ({ log }) => log.producer().close(),
    },
  },
  Overview: {
    of: ({ connection }) => new Overview(connection),
    acts: { read: ({ connection }) => new Overview(connection).read() },
  },
};

/** Functions that begin with a connection. */
const functions = { readSources: ({ connection }: Beginning) => readSources(connection) };

describe('the first act of a process', () => {
  let server: RedisServer;
  const begun: RedisConnection[] = [];
  const begin = (): Beginning => {
    const connection = new RedisConnection({ ...server.connection, prefix: 'first' });
    begun.push(connection);
    return { connection, broker: new Broker(connection), log: new Log(connection) };
  };
  beforeAll(async () => {
    // given what other processes have declared
    server = await startRedis();
    const { broker, log } = begin();
    await broker.declare({
      exchanges: [{ name: 'events', type: 'topic' }],
      queues: [{ name: 'work', keepCompleted: { count: 1 } }, { name: 'paused' }, { name: 'answered' }],
      bindings: [{ exchange: 'events', queue: 'work', routingKey: 'a' }],
    });
    await broker.consumer({ queue: 'answered', handler }).start();
    for (const name of ['records', 'grows']) await log.declareTopic({ name });
  });
  afterAll(async () => {
    for (const connection of begun) connection.close();
    await stopEverything();
  });

  it.each(Object.entries(handles))('may be any of %s', async (_, { of, acts }) => {
    // given all methods that it has
    expect(Object.keys(acts).sort()).toEqual(methodsOf(of(begin())));
    // when each of them is called before its connection is up, then it waits
    expect(await failuresOf(acts)).toEqual([]);
  });

  it('may be a function that is given the connection', async () => {
    expect(await failuresOf(functions)).toEqual([]);
  });

  /** The acts that fail when they are the first one. */
  async function failuresOf(acts: Handle['acts']): Promise<string[]> {
    const results = Object.entries(acts).map(async ([name, act]) => {
      const beginning = begin();
      expect(beginning.connection.isUp).toBe(false);
      try {
        await act(beginning);
        return [];
      } catch (error) {
        return [`${name}: ${messageOf(error)}`];
      }
    });
    return (await Promise.all(results)).flat();
  }
});

function methodsOf(handle: object): string[] {
  const prototype: object = Object.getPrototypeOf(handle);
  const methods = Object.entries(Object.getOwnPropertyDescriptors(prototype));
  return methods
    .flatMap(([name, { value }]) => (name !== 'constructor' && value instanceof Function ? [name] : []))
    .sort();
}

async function all(items: AsyncIterable<unknown>): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const item of items) found.push(item);
  return found;
}

function never(): never {
  throw new Error('no binding leads to a topic');
}
