import { describe, expect, it } from '@jest/globals';
import { queueMetaFields, settingFields } from './queue-meta.js';
import { resolveQueue } from './queue-settings.js';

describe('settings of a queue, as its scripts read them', () => {
  const fieldsOf = (declaration: object, revision = 7): Record<string, string> => {
    const flat = queueMetaFields(resolveQueue({ name: 'mail', ...declaration }), revision);
    return Object.fromEntries(Array.from({ length: flat.length / 2 }, (_, at) => flat.slice(at * 2, at * 2 + 2)));
  };

  it('are only those that differ from nothing', () => {
    const { settings, ...fields } = fieldsOf({});
    expect(JSON.parse(settings ?? '')).toEqual(resolveQueue({ name: 'mail' }));
    expect(fields).toEqual({
      name: 'mail',
      revision: '7',
      overflow: 'drop-head',
      priorities: '1',
      'delivery-limit': '20',
      'dedup-window': '60000',
    });
  });

  it("are each shard's part of what is declared for the whole", () => {
    const { settings: _, ...fields } = fieldsOf({
      shards: 2,
      maxLength: 5,
      maxBytes: 7,
      messageTtlMs: 3,
      idleExpiryMs: 4,
      overflow: 'dead-letter',
      priorities: 2,
      deadLetter: { queue: 'lost' },
      deliveryLimit: 6,
      deduplicationWindowMs: 0,
      keepCompleted: { count: 7, ageMs: 8 },
      rate: { limit: 9, intervalMs: 500 },
      singleActiveConsumer: true,
      autoDelete: true,
      exclusive: true,
    });
    expect(fields).toEqual({
      name: 'mail',
      revision: '7',
      'max-length': '2',
      'max-bytes': '3',
      overflow: 'dead-letter',
      'message-ttl': '3',
      'idle-expiry': '4',
      priorities: '2',
      'dead-letter': '1',
      'delivery-limit': '6',
      'keep-completed': '3 8',
      'max-per-second': '8',
      'single-active': '1',
      'auto-delete': '1',
      exclusive: '1',
    });
    expect(fieldsOf({ keepCompleted: { count: 7 } })).toMatchObject({ 'keep-completed': '7' });
    expect(fieldsOf({ keepCompleted: { ageMs: 8 } })).toMatchObject({ 'keep-completed': '1000000 8' });
    expect(fieldsOf({ maxPerSecond: 5 })).toMatchObject({ 'max-per-second': '5' });
  });

  it('have their fields in one list, by which what is no setting is told apart', () => {
    const all = fieldsOf({
      maxLength: 1,
      maxBytes: 1,
      messageTtlMs: 1,
      idleExpiryMs: 1,
      deadLetter: { queue: 'lost' },
      keepCompleted: { count: 1 },
      maxPerSecond: 1,
      singleActiveConsumer: true,
      autoDelete: true,
      exclusive: true,
    });
    expect(Object.keys(all)).toEqual(settingFields);
  });
});
