import { describe, expect, it } from '@jest/globals';
import {
  deadLetterTopics,
  noSuchPartition,
  partitionProblems,
  resolveTopic,
  type Topic,
  type TopicInput,
  topicDifferences,
} from './topic.js';

const orders = (input: Partial<Record<keyof TopicInput, unknown>> = {}) =>
  resolveTopic({ name: 'orders', ...input } as TopicInput);

describe('a topic as it is declared', () => {
  it('has a default for everything but its name', () => {
    expect(orders()).toEqual({
      name: 'orders',
      partitions: 1,
      codec: 'json',
      compression: 'none',
      retention: { maxAgeMs: 604_800_000, unread: 'expire' },
      deadLetter: { topic: 'orders.dead-letters' },
      timestamps: 'create',
    });
  });

  it('has the given settings', () => {
    const given = {
      partitions: 4096,
      codec: 'raw',
      compression: 'brotli',
      retention: { maxAgeMs: 1, maxRecords: 1, maxBytes: 1, unread: 'reject' },
      deadLetter: { topic: 'lost' },
      timestamps: 'append',
    };
    expect(orders(given)).toEqual({ name: 'orders', ...given });
    expect(orders({ deadLetter: false }).deadLetter).toBe(false);
    expect(orders({ deadLetter: {} }).deadLetter).toEqual({ topic: 'orders.dead-letters' });
    expect(orders({ retention: {} }).retention).toEqual({ unread: 'expire' });
    for (const limit of ['maxRecords', 'maxBytes'])
      expect(orders({ retention: { [limit]: 5, unread: 'reject' } }).retention).toEqual({
        [limit]: 5,
        unread: 'reject',
      });
  });

  it('may have a name so long that its dead letters need one of their own', () => {
    const long = 'x'.repeat(243);
    expect(() => resolveTopic({ name: long })).toThrow(
      'deadLetter must be given: the default name "<topic>.dead-letters" would be longer than 255 bytes',
    );
    expect(resolveTopic({ name: long, deadLetter: { topic: 'lost' } }).deadLetter).toEqual({ topic: 'lost' });
    expect(resolveTopic({ name: 'x'.repeat(242) }).deadLetter).toEqual({ topic: `${'x'.repeat(242)}.dead-letters` });
  });

  it.each<[input: object, problem: string]>([
    [{ partitions: 0 }, 'partitions must be a whole number from 1 to 4096, got 0'],
    [{ partitions: 4097 }, 'partitions must be a whole number from 1 to 4096, got 4097'],
    [{ compression: 'gzip' }, 'compression must be one of none, zlib, brotli, zstd, got "gzip"'],
    [{ timestamps: 'now' }, 'timestamps must be one of create, append, got "now"'],
    [{ retention: { maxAgeMs: 0 } }, 'retention.maxAgeMs must be a whole number of at least 1, got 0'],
    [{ retention: { maxRecords: 0 } }, 'retention.maxRecords must be a whole number of at least 1, got 0'],
    [{ retention: { maxBytes: 0 } }, 'retention.maxBytes must be a whole number of at least 1, got 0'],
    [{ retention: { unread: 'keep' } }, 'retention.unread must be one of expire, protect, reject, got "keep"'],
    [
      { retention: { maxAgeMs: 1, unread: 'reject' } },
      "retention.unread 'reject' needs retention.maxRecords or retention.maxBytes: without a limit nothing is rejected",
    ],
    [
      { deadLetter: { topic: 'a\nb' } },
      'deadLetter.topic name "a\\nb" holds the control character U+000A: leave it out',
    ],
    [{ deadLetter: { topic: '' } }, 'deadLetter.topic must be a string that is not empty, got ""'],
    [{ retention: null }, 'retention must be an object, got null'],
    [{ deadLetter: { topic: 'orders' } }, 'deadLetter.topic must be another topic'],
  ])('is refused: %p', (input, problem) => {
    expect(() => orders(input)).toThrow(`topic "orders": one problem\n  - ${problem}`);
  });

  it('without a name is refused', () => {
    expect(() => resolveTopic(undefined as never)).toThrow(
      'topic: one problem\n  - topic name must be a string, got undefined',
    );
    expect(() => resolveTopic({ name: '' })).toThrow('topic name is empty');
  });

  it('differs from another by its settings, not by how they are written', () => {
    const declared = orders({ retention: { maxBytes: 5, maxAgeMs: 1 } });
    expect(
      topicDifferences(declared, orders({ retention: { maxAgeMs: 1, maxBytes: 5, maxRecords: undefined } })),
    ).toEqual([]);
    const other = orders({ partitions: 2, codec: 'raw', compression: 'zlib', deadLetter: false, timestamps: 'append' });
    expect(topicDifferences(declared, other)).toEqual(
      (['partitions', 'codec', 'compression', 'retention', 'deadLetter', 'timestamps'] as const).map((setting) => ({
        setting,
        declared: declared[setting],
        requested: other[setting],
      })),
    );
  });

  it('keeps dead letters if it is declared or named so', () => {
    expect([
      ...deadLetterTopics([
        { name: 'a', deadLetter: { topic: 'lost' } },
        { name: 'b', deadLetter: false },
        { name: 'c.dead-letters', deadLetter: false },
      ]),
    ]).toEqual(['lost', 'c.dead-letters']);
  });

  it('knows which partitions it has', () => {
    const topic: Topic = { ...orders({ partitions: 3 }), id: 1, version: 1 };
    expect(partitionProblems(topic, undefined)).toEqual([]);
    expect(partitionProblems(topic, [0, 2])).toEqual([]);
    expect(partitionProblems(topic, 2)).toEqual(['partitions must be a list of numbers, got 2']);
    expect(partitionProblems(topic, [3, 0, '1'])).toEqual([
      'topic "orders" has no partition 3: it has 3, numbered from 0',
      'topic "orders" has no partition "1": it has 3, numbered from 0. A partition is a number, not a string',
    ]);
  });

  it('does not differ by the order of its settings', () => {
    const one = orders({ retention: { maxAgeMs: 1, maxRecords: 2 } });
    const retention = { unread: 'expire', maxRecords: 2, maxAgeMs: 1 } as const;
    const differing = (other: object) => topicDifferences(one, { ...one, ...other }).map(({ setting }) => setting);
    expect(differing({ retention })).toEqual([]);
    expect(differing({ retention: { ...retention, maxRecords: 3 } })).toEqual(['retention']);
    expect(differing({ deadLetter: { topic: 'lost' } })).toEqual(['deadLetter']);
    expect(differing({ deadLetter: null })).toEqual(['deadLetter']);
    expect(differing({ codec: ['json'] })).toEqual(['codec']);
  });
});

describe('noSuchPartition', () => {
  it('names the topic, what was given, and what there is', () => {
    const topic: Topic = { ...orders({ partitions: 3 }), id: 1, version: 1 };
    expect(noSuchPartition(topic, 7).message).toBe('topic "orders" has no partition 7: it has 3, numbered from 0.');
  });
});
