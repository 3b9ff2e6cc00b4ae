import { describe, expect, it } from '@jest/globals';
import { type EntryResult, PlainReceipt, type Receipt, receiptOf, type TopicPosition } from './receipt.js';
import { slotOf } from './shards.js';

describe('a receipt', () => {
  it('says whether any queue has the message', () => {
    const empty = { topics: [], refused: [], duplicates: [] };
    expect({ ...new PlainReceipt('a', ['q']) }).toEqual({
      messageId: 'a',
      queues: ['q'],
      isUnroutable: false,
      ...empty,
    });
    expect({ ...new PlainReceipt('a', []) }).toEqual({ messageId: 'a', queues: [], isUnroutable: true, ...empty });
  });

  const place: TopicPosition = { topic: 't', partition: 0, offset: 7 };
  it.each<
    [says: string, results: Record<string, EntryResult | ''>, topics: TopicPosition[], receipt: Partial<Receipt>]
  >([
    ['that nothing took it', {}, [], { isUnroutable: true }],
    ['which queues took it', { a: '', b: '' }, [], { queues: ['a', 'b'] }],
    ['the queue, where a shard took it', { [slotOf('a', 3)]: '' }, [], { queues: ['a'] }],
    ['which knew its id', { a: 'duplicate', b: '' }, [], { queues: ['a', 'b'], duplicates: ['a'] }],
    [
      'which refused it',
      { a: 'refused', b: '' },
      [],
      { queues: ['b'], refused: [{ queue: 'a', reason: 'maxlen', isDeadLettered: false }] },
    ],
    [
      'which gave it to its dead letters',
      { a: 'dead-lettered' },
      [],
      { refused: [{ queue: 'a', reason: 'maxlen', isDeadLettered: true }] },
    ],
    ['where it is in topics', { a: '' }, [place], { queues: ['a'], topics: [place] }],
    ['where it is in topics only', {}, [place], { topics: [place] }],
  ])('says %s', (_says, results, topics, receipt) => {
    const slots = new Map(Object.entries(results).map(([slot, result]) => [slot, result === '' ? undefined : result]));
    const empty = { queues: [], topics: [], isUnroutable: false, refused: [], duplicates: [] };
    expect({ ...receiptOf('id', slots, topics) }).toEqual({ messageId: 'id', ...empty, ...receipt });
  });
});
