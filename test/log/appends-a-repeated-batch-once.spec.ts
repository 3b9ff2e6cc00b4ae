import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Redis } from '@millrace/redis';
import { startRedis, stopEverything } from '@millrace/testing';
import { type Append, type AppendReply, appendBatch } from '../../libs/log/src/store/append.js';
import { partitionKeys } from '../../libs/log/src/store/keys.js';

describe('the append script', () => {
  let client: Redis;
  beforeAll(async () => {
    client = (await startRedis()).client();
  });
  afterAll(stopEverything);

  async function partition(name: string): Promise<(batch: Partial<Append>) => Promise<AppendReply>> {
    const keys = partitionKeys('p', name, 0);
    await client.hset(keys.meta, { id: 7, version: 3, end: 0, start: 0, bytes: 0, time: 0 });
    return (batch) =>
      appendBatch(client, keys, { topicId: 7, count: 2, maxTimestamp: 1, frame: Buffer.from('frame'), ...batch });
  }

  function from(epoch: number, sequence: number): Pick<Append, 'identity'> {
    return { identity: { producerId: 'me', epoch, sequence } };
  }

  it('appends the next batch of a producer, and returns for a repeated one the first result, up to five batches back', async () => {
    const append = await partition('repeats');
    for (let sequence = 0; sequence < 8; sequence++) await append(from(0, sequence));
    for (const sequence of [7, 6, 5, 4, 3]) {
      expect(await append(from(0, sequence))).toEqual({ kind: 'appended', baseOffset: sequence * 2, topicVersion: 3 });
    }
    expect(await append(from(0, 2))).toEqual({ kind: 'stale' });
    expect(await client.xlen(partitionKeys('p', 'repeats', 0).records)).toBe(8);
    expect(await client.hget(partitionKeys('p', 'repeats', 0).meta, 'end')).toBe('16');
  });

  it('writes nothing when an earlier batch is missing', async () => {
    const append = await partition('gap');
    expect(await append(from(0, 1))).toEqual({ kind: 'gap' });
    await append(from(0, 0));
    expect(await append(from(0, 2))).toEqual({ kind: 'gap' });
    expect(await append(from(1, 1))).toEqual({ kind: 'gap' });
    expect(await client.xlen(partitionKeys('p', 'gap', 0).records)).toBe(1);
  });

  it('starts again with a higher epoch, and refuses the lower one from then on', async () => {
    const append = await partition('epochs');
    await append(from(0, 0));
    expect(await append(from(1, 0))).toMatchObject({ kind: 'appended', baseOffset: 2 });
    expect(await append(from(0, 1))).toEqual({ kind: 'stale' });
    expect(await append(from(1, 1))).toMatchObject({ kind: 'appended', baseOffset: 4 });
  });

  it('writes nothing to another topic of that name, or to none', async () => {
    const append = await partition('other');
    expect(await append({ topicId: 6 })).toEqual({ kind: 'gone' });
    const keys = partitionKeys('p', 'nowhere', 0);
    const batch = { topicId: 7, count: 1, maxTimestamp: 1, frame: Buffer.from('frame') };
    expect(await appendBatch(client, keys, batch)).toEqual({ kind: 'gone' });
    for (const key of [keys.records, keys.meta, partitionKeys('p', 'other', 0).records]) {
      expect(await client.exists(key)).toBe(0);
    }
  });

  it('keeps offsets exact far beyond what Lua shows of a number', async () => {
    const append = await partition('large');
    const keys = partitionKeys('p', 'large', 0);
    await client.hset(keys.meta, { end: 9_007_199_254_740_000, start: 9_007_199_254_740_000 });
    expect(await append(from(0, 0))).toMatchObject({ baseOffset: 9_007_199_254_740_000 });
    expect(await append(from(0, 1))).toMatchObject({ baseOffset: 9_007_199_254_740_002 });
    expect(await append(from(0, 0))).toMatchObject({ baseOffset: 9_007_199_254_740_000 });
    expect(await client.xrevrange(keys.records, '+', '-', 'COUNT', 1)).toMatchObject([['0-9007199254740004', {}]]);
  });
});
