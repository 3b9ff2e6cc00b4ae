import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { InvalidMessageError, OptionsError, TopologyConflictError, TopologyNotFoundError } from '@millrace/core';
import type { Broker } from '@millrace/queue';
import type { RedisConnection } from '@millrace/redis';
import { startRedis, stopEverything } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

const circular: Record<string, unknown> = {};
circular.self = circular;
const long = 'é'.repeat(128);

/** What a caller without types may write. */
function untyped<T>(value: object): T {
  return value as T;
}

describe('bad input', () => {
  const prefix = ownPrefix();
  let broker: Broker;
  let connection: RedisConnection;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ broker, connection, close } = await openBroker(await startRedis(), prefix, { maxMessageBytes: 1000 }));
    await broker.declare({
      exchanges: [
        { name: 'e', type: 'topic' },
        { name: 'inner', type: 'fanout', internal: true },
        { name: 'h', type: 'headers' },
        { name: 'hash', type: 'consistent-hash' },
      ],
      queues: [{ name: 'q', maxLength: 5 }],
      bindings: [{ exchange: 'hash', queue: 'q', routingKey: '1' }],
    });
  });
  afterAll(async () => {
    await close();
    await stopEverything();
  });

  const declarations: [string, (on: Broker) => Promise<unknown>, new (...args: never[]) => Error, RegExp][] = [
    [
      'an illegal queue name',
      (on) => on.declareQueue({ name: 'a\nb' }),
      OptionsError,
      /a\\nb.*control character U\+000A/,
    ],
    ['no name', (on) => on.declareQueue({ name: '' }), OptionsError, /queue name is empty/],
    [
      'a name over 255 bytes',
      (on) => on.declareQueue({ name: 'x'.repeat(256) }),
      OptionsError,
      /longer than 255 bytes/,
    ],
    [
      'a name that leaves no room for the name of its dead letters',
      (on) => on.declareQueue({ name: 'x'.repeat(250) }),
      OptionsError,
      /deadLetter must be given/,
    ],
    [
      'the default exchange',
      (on) => on.declareExchange({ name: '', type: 'direct' }),
      OptionsError,
      /cannot be declared/,
    ],
    [
      'binding it',
      (on) => on.bind({ exchange: '', queue: 'q' }),
      OptionsError,
      /default exchange "" cannot be bound to/,
    ],
    [
      'an unknown type',
      (on) => on.declareExchange(untyped({ name: 'x', type: 'topik' })),
      OptionsError,
      /did you mean "topic"/,
    ],
    [
      'an unknown option',
      (on) => on.declareQueue(untyped({ name: 'x', maxLenght: 1 })),
      OptionsError,
      /did you mean "maxLength"/,
    ],
    ['a TTL of 0', (on) => on.declareQueue({ name: 'x', messageTtlMs: 0 }), OptionsError, /messageTtlMs .*at least 1/],
    [
      'itself for its dead letters',
      (on) => on.declareQueue({ name: 'x', deadLetter: { queue: 'x' } }),
      OptionsError,
      /deadLetter must be another queue/,
    ],
    [
      'itself for them, through the default exchange',
      (on) => on.declareQueue({ name: 'x', deadLetter: { exchange: '', routingKey: 'x' } }),
      OptionsError,
      /deadLetter must be another queue/,
    ],
    ['another limit', (on) => on.declareQueue({ name: 'q', maxLength: 6 }), TopologyConflictError, /maxLength: 5 → 6/],
    [
      'another type',
      (on) => on.declareExchange({ name: 'e', type: 'direct' }),
      TopologyConflictError,
      /"topic" → "direct"/,
    ],
    ['no such exchange', (on) => on.bind({ exchange: 'none', queue: 'q' }), TopologyNotFoundError, /exchange "none"/],
    ['no such queue', (on) => on.bind({ exchange: 'e', queue: 'none' }), TopologyNotFoundError, /queue "none"/],
    [
      'a long key',
      (on) => on.bind({ exchange: 'e', queue: 'q', routingKey: long }),
      OptionsError,
      /longer than 255 bytes/,
    ],
    [
      'x-match',
      (on) => on.bind({ exchange: 'h', queue: 'q', arguments: { 'x-match': 'some' } }),
      OptionsError,
      /x-match must be one of/,
    ],
    [
      'arguments that are a Map',
      (on) => on.bind({ exchange: 'h', queue: 'q', arguments: untyped(new Map([['a', 1]])) }),
      OptionsError,
      /binding arguments: headers must be an object.*got a Map/,
    ],
    ['a weight', (on) => on.bind({ exchange: 'hash', queue: 'q', routingKey: 'a' }), OptionsError, /weight/],
    [
      'two weights',
      (on) => on.bind({ exchange: 'hash', queue: 'q', routingKey: '2' }),
      TopologyConflictError,
      /weight/,
    ],
  ];
  it.each(declarations)('in a declaration: %s', async (_, act, type, message) => {
    const before = await connection.commands.hget(`${prefix}:{topology}:meta`, 'version');
    const error = await act(broker).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(type);
    expect(String(error)).toMatch(message);
    expect(await connection.commands.hget(`${prefix}:{topology}:meta`, 'version')).toBe(before);
  });

  const messages: [string, (on: Broker) => Promise<unknown>, new (...args: never[]) => Error, RegExp][] = [
    ['no such exchange', (on) => on.publish('none', 'k', 1), TopologyNotFoundError, /exchange "none" does not exist/],
    ['no such queue', (on) => on.sendToQueue('none', 1), TopologyNotFoundError, /queue "none" does not exist/],
    ['an internal exchange', (on) => on.publish('inner', 'k', 1), InvalidMessageError, /"inner" is internal/],
    ['a long key', (on) => on.publish('e', long, 1), InvalidMessageError, /longer than 255 bytes/],
    ['half a character', (on) => on.publish('e', '\ud800', 1), InvalidMessageError, /surrogate/],
    ['a circular body', (on) => on.sendToQueue('q', circular), InvalidMessageError, /cannot encode the body/],
    ['no body', (on) => on.sendToQueue('q', undefined), InvalidMessageError, /JSON has no undefined/],
    ['a large body', (on) => on.sendToQueue('q', 'x'.repeat(1000)), InvalidMessageError, /maxMessageBytes is 1000/],
    ['a delay', (on) => on.sendToQueue('q', 1, { delayMs: Number.NaN }), InvalidMessageError, /delayMs must be/],
    ['an expiration', (on) => on.sendToQueue('q', 1, { expirationMs: 0 }), InvalidMessageError, /expirationMs must be/],
    ['properties of null', (on) => on.sendToQueue('q', 1, null as never), InvalidMessageError, /an object, got null/],
    [
      'a message of null',
      (on) => on.publishBatch([{ exchange: '', routingKey: 'q', body: 1 }, null as never]),
      InvalidMessageError,
      /messages\[1\].*a message must be { exchange, routingKey, body, properties }, got null/s,
    ],
    [
      'a message of null for a queue',
      (on) => on.sendBatchToQueue('q', [null as never]),
      InvalidMessageError,
      /a message must be .*, got null/,
    ],
    ['no list', (on) => on.sendBatchToQueue('q', null as never), InvalidMessageError, /must be a list, got null/],
    ['a header', (on) => on.sendToQueue('q', 1, { headers: { 'millrace-x': 1 } }), InvalidMessageError, /reserved/],
    ['a property', (on) => on.sendToQueue('q', 1, untyped({ ttl: 1 })), InvalidMessageError, /ttl is not a property/],
    [
      'a factor that cannot be stored',
      (on) => on.sendToQueue('q', 1, { retry: { backoff: { kind: 'exponential', delayMs: 1, factor: Infinity } } }),
      InvalidMessageError,
      /retry is wrong: \.backoff\.factor must be a number of at least 1/,
    ],
    ['a signal', (on) => on.request('', 'q', 1, untyped({ signal: 5 })), OptionsError, /signal must be .*got 5/],
    [
      'a property of a batch beside its properties',
      (on) => on.publishBatch([untyped({ exchange: '', routingKey: 'q', body: 1, delayMs: 5000 })]),
      InvalidMessageError,
      /messages\[0\].*queue "q": delayMs is not a field of a message.*into `properties`/,
    ],
    ['an id', (on) => on.sendToQueue('q', 1, { messageId: '' }), InvalidMessageError, /messageId must not be empty/],
    [
      'one of many',
      (on) => on.publishBatch([1, circular, 3].map((body) => ({ exchange: '', routingKey: 'q', body }))),
      InvalidMessageError,
      /cannot encode the body/,
    ],
  ];
  it.each(messages)('in a message: %s', async (_, act, type, message) => {
    const error = await act(broker).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(type);
    expect(String(error)).toMatch(message);
    expect(await connection.commands.exists(`${prefix}:{queue:q}:messages`)).toBe(0);
  });

  it('a definition with one mistake declares nothing of it', async () => {
    const definition = { queues: [{ name: 'new' }], bindings: [{ exchange: 'none', queue: 'new' }] };
    await expect(broker.declare(definition)).rejects.toThrow(TopologyNotFoundError);
    await expect(broker.sendToQueue('new', 1)).rejects.toThrow(TopologyNotFoundError);
    expect(await connection.commands.keys(`${prefix}:{queue:new}*`)).toEqual([]);
  });

  it('a change is shown by the plan, and applied where it can be', async () => {
    const change = { queues: [{ name: 'q', maxLength: 7 }, { name: 'other' }] };
    const plan = await broker.plan(change);
    expect(plan.map(({ action, name }) => [action, name])).toEqual([
      ['change', 'q'],
      ['create', 'other'],
    ]);
    expect(plan[0]?.differences).toEqual([{ setting: 'maxLength', declared: 5, requested: 7 }]);
    await broker.declare(change, { onChange: 'apply' });
    expect(await broker.plan(change)).toEqual([]);
    expect(await connection.commands.hget(`${prefix}:{queue:q}:settings`, 'max-length')).toBe('7');
    await expect(broker.declare({ queues: [{ name: 'q', priorities: 2 }] }, { onChange: 'apply' })).rejects.toThrow(
      TopologyConflictError,
    );
  });
});
