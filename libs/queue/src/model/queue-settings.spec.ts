import { describe, expect, it } from '@jest/globals';
import { differences, isChangeable, type QueueDeclaration, resolveQueue } from './queue-settings.js';

const resolve = (declaration: object = {}) => resolveQueue({ name: 'mail', ...declaration } as QueueDeclaration);
const defaults = {
  name: 'mail',
  overflow: 'drop-head',
  priorities: 1,
  singleActiveConsumer: false,
  exclusive: false,
  autoDelete: false,
  deliveryLimit: 20,
  deduplicationWindowMs: 60_000,
};

describe('a queue as it is declared', () => {
  it('has a default for all but its name', () => {
    expect(resolve()).toEqual(defaults);
    expect(resolve({ shards: 1 })).toEqual(defaults);
  });

  it('has the given settings', () => {
    const given = {
      messageTtlMs: 1,
      idleExpiryMs: 1,
      maxLength: 64,
      maxBytes: 64,
      overflow: 'reject-publish',
      priorities: 10,
      singleActiveConsumer: true,
      exclusive: true,
      autoDelete: true,
      deliveryLimit: 1,
      deduplicationWindowMs: 0,
      keepCompleted: { count: 64, ageMs: 1 },
      maxPerSecond: 64,
      shards: 64,
    };
    expect(resolve(given)).toEqual({ name: 'mail', ...given });
    expect(resolve({ rate: { limit: 5, intervalMs: 60_000 } })).toEqual({
      ...defaults,
      rate: { limit: 5, intervalMs: 60_000 },
    });
  });

  it('has a rate per second as it was written before there were others', () => {
    expect(resolve({ rate: { limit: 5, intervalMs: 1000 } })).toEqual({ ...defaults, maxPerSecond: 5 });
  });

  it.each<[given: object, kept: object]>([
    [{ queue: 'lost' }, { exchange: '', routingKey: 'lost' }],
    [{ exchange: 'dlx' }, { exchange: 'dlx' }],
    [
      { exchange: 'dlx', routingKey: '' },
      { exchange: 'dlx', routingKey: '' },
    ],
    [
      { exchange: '', routingKey: 'lost' },
      { exchange: '', routingKey: 'lost' },
    ],
  ])('has its dead letters in %p', (deadLetter, kept) => {
    expect(resolve({ deadLetter }).deadLetter).toStrictEqual(kept);
  });

  it('may have a name so long that its dead letters need one of their own', () => {
    const long = 'x'.repeat(243);
    expect(() => resolve({ name: long })).toThrow(
      'deadLetter must be given: the default name "<queue>.dead-letters" would be longer than 255 bytes',
    );
    expect(resolve({ name: long, deadLetter: { queue: 'lost' } }).name).toBe(long);
    expect(resolve({ name: 'x'.repeat(242) }).name).toHaveLength(242);
    expect(resolve({ name: `${'x'.repeat(242)}.dead-letters` }).deadLetter).toBeUndefined();
  });

  const keptCompleted =
    'keepCompleted must be { count, ageMs } with at least one of the two; leave it out to keep none';
  const target = 'deadLetter must be { exchange, routingKey? } or { queue }';
  const atLeast1 = (name: string) => [{ [name]: 0 }, `${name} must be a whole number of at least 1, got 0`] as const;
  it.each<readonly [declaration: object, ...problems: string[]]>([
    [{ name: undefined }, 'queue name must be a string, got undefined'],
    [{ name: 'a\nb' }, 'queue name "a\\nb" holds the control character U+000A: leave it out'],
    atLeast1('messageTtlMs'),
    atLeast1('idleExpiryMs'),
    atLeast1('maxLength'),
    atLeast1('maxBytes'),
    atLeast1('deliveryLimit'),
    atLeast1('maxPerSecond'),
    [{ deduplicationWindowMs: -1 }, 'deduplicationWindowMs must be a whole number of at least 0, got -1'],
    [{ priorities: 11 }, 'priorities must be a whole number from 1 to 10, got 11'],
    [{ priorities: 0 }, 'priorities must be a whole number from 1 to 10, got 0'],
    [{ shards: 65 }, 'shards must be a whole number from 1 to 64, got 65'],
    [{ shards: 0 }, 'shards must be a whole number from 1 to 64, got 0'],
    [{ overflow: 'drop' }, 'overflow must be one of drop-head, reject-publish, dead-letter, got "drop"'],
    [{ singleActiveConsumer: 1 }, 'singleActiveConsumer must be true or false, got 1'],
    [{ exclusive: 1 }, 'exclusive must be true or false, got 1'],
    [{ autoDelete: 1 }, 'autoDelete must be true or false, got 1'],
    [{ owner: 'me' }, 'unknown option owner'],
    [{ keepCompleted: {} }, keptCompleted],
    [{ keepCompleted: { count: undefined } }, keptCompleted],
    [{ keepCompleted: null }, keptCompleted],
    [{ keepCompleted: 1000 }, 'keepCompleted must be an object, got 1000'],
    [{ keepCompleted: { count: 0 } }, 'keepCompleted.count must be a whole number from 1 to 1000000, got 0'],
    [
      { keepCompleted: { count: 1_000_001 } },
      'keepCompleted.count must be a whole number from 1 to 1000000, got 1000001',
    ],
    [{ keepCompleted: { count: Number.NaN } }, 'keepCompleted.count must be a whole number from 1 to 1000000, got NaN'],
    [{ keepCompleted: { count: 1.5 } }, 'keepCompleted.count must be a whole number from 1 to 1000000, got 1.5'],
    [{ keepCompleted: { ageMs: 0 } }, 'keepCompleted.ageMs must be a whole number of at least 1, got 0'],
    [{ keepCompleted: { ageMs: 1e300 } }, 'keepCompleted.ageMs must be a whole number of at least 1, got 1e+300'],
    [{ keepCompleted: { age: 5 } }, 'unknown option keepCompleted.age (did you mean "ageMs"?)'],
    [{ rate: 5 }, 'rate must be { limit, intervalMs }, got 5'],
    [{ deadLetter: 'lost' }, target],
    [{ deadLetter: null }, target],
    [{ deadLetter: {} }, target],
    [{ deadLetter: { exchange: 'a', queue: 'b', extra: 1 } }, 'unknown option deadLetter.extra', target],
    [
      { deadLetter: { queue: 'b', routingKey: 'k' } },
      'deadLetter.routingKey is only allowed with an exchange, not with a queue',
    ],
    [{ deadLetter: { queue: '' } }, 'queue name is empty'],
    [{ deadLetter: { exchange: 'a\nb' } }, 'exchange name "a\\nb" holds the control character U+000A: leave it out'],
    [{ deadLetter: { exchange: 'a', routingKey: 5 } }, 'deadLetter.routingKey must be a string'],
    [{ deadLetter: { exchange: '' } }, 'deadLetter: name the queue, { queue: "…" }'],
    [
      { shards: 4, maxLength: 3, maxBytes: 3, maxPerSecond: 3 },
      'maxLength is shared out among 4 shards: it must be at least 4',
      'maxBytes is shared out among 4 shards: it must be at least 4',
      'maxPerSecond is shared out among 4 shards: it must be at least 4',
    ],
    [
      { shards: 4, keepCompleted: { count: 3 } },
      'keepCompleted.count is shared out among 4 shards: it must be at least 4',
    ],
    [
      { shards: 4, rate: { limit: 3, intervalMs: 5 } },
      'rate.limit is shared out among 4 shards: it must be at least 4',
    ],
  ])('is refused, with every problem: %p', (declaration, ...problems) => {
    expect(() => resolve(declaration)).toThrow(expect.objectContaining({ problems }));
  });

  it('names the queue in the error', () => {
    expect(() => resolve({ priorities: 0 })).toThrow('queue "mail": one problem');
    expect(() => resolveQueue(undefined as never)).toThrow('queue undefined: one problem');
  });

  it('may be as many as there are shards', () => {
    const given = {
      shards: 4,
      maxLength: 4,
      maxBytes: 4,
      keepCompleted: { count: 4 },
      rate: { limit: 4, intervalMs: 5 },
    };
    expect(resolve(given)).toMatchObject(given);
    expect(resolve({ shards: 4, keepCompleted: { ageMs: 5 } }).keepCompleted).toEqual({ ageMs: 5 });
  });
});

describe('settings of a queue', () => {
  it('differ by their JSON', () => {
    expect(differences({ a: 1, b: [1], c: 1 }, { a: 1, b: [2], d: undefined, e: 0 })).toEqual([
      { setting: 'b', declared: [1], requested: [2] },
      { setting: 'c', declared: 1, requested: undefined },
      { setting: 'e', declared: undefined, requested: 0 },
    ]);
  });

  it('can be changed in use but for those that say where and how messages are stored', () => {
    const all = Object.keys({
      ...defaults,
      messageTtlMs: 1,
      idleExpiryMs: 1,
      maxLength: 1,
      maxBytes: 1,
      deadLetter: 1,
      keepCompleted: 1,
      rate: 1,
      maxPerSecond: 1,
      shards: 1,
      owner: 1,
    });
    const change = (setting: string) => isChangeable({ setting, declared: 1, requested: 2 });
    expect(all.filter((setting) => !change(setting))).toEqual([
      'name',
      'priorities',
      'singleActiveConsumer',
      'exclusive',
      'autoDelete',
      'shards',
      'owner',
    ]);
  });
});
