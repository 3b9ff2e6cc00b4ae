import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LogOnRedis } from './log-on-redis.js';

// Frames as format version 1 wrote them, base64, one per line. They are never written again: a change of the format
// has another version and adds a file.
const frames = readFileSync('test/fixtures/record-batches-v1.txt', 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.split(' '));

const expected = [
  { timestamp: 1_700_000_000_000, key: undefined, headers: {}, value: { order: 1 } },
  {
    timestamp: 1_700_000_000_007,
    key: 'käse',
    headers: { text: 'ä', number: 1.5, yes: true, no: false, nothing: null },
    value: { order: 2, note: 'ünïcödé' },
  },
  { timestamp: 1_699_999_999_990, key: '', headers: { big: 9_007_199_254_740_991 }, value: [1, 'two', null, false] },
];

describe('format version 1', () => {
  let redis: LogOnRedis;
  beforeAll(async () => {
    redis = await LogOnRedis.start();
  });
  afterAll(() => redis.stop());

  it.each(frames)('is read: %s', async (_kind, codec = '', frame = '') => {
    // given
    const topic = await redis.topic({ codec });
    const base = `millrace:{log:${topic}:0}`;
    const bytes = Buffer.from(frame, 'base64');
    await redis.admin.xadd(`${base}:records`, '0-3', 'b', bytes, 't', 1_700_000_000_007);
    await redis.admin.hset(`${base}:meta`, { end: 3, bytes: bytes.length, time: 1_700_000_000_007 });
    // when
    const records = await redis.records(topic);
    // then
    const values = codec === 'raw' ? [Buffer.from([0, 1, 2]), Buffer.from([]), Buffer.from([255])] : undefined;
    expect(records).toEqual(
      expected.map((record, offset) => ({
        ...record,
        topic,
        partition: 0,
        offset,
        headers: expect.objectContaining(record.headers),
        value: values?.[offset] ?? record.value,
      })),
    );
  });
});
