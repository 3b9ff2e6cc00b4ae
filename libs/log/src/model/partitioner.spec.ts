import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { murmur2, partitionForKey } from './partitioner.js';

/** Made with Kafka's Java client. */
const vectors = readFileSync('test/fixtures/murmur2.tsv', 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => line.split('\t'));

describe('the partition of a key', () => {
  it.each(vectors)("is the one that Kafka's Java client gives it: %s", (key = '', hash = '') => {
    expect(murmur2(Buffer.from(key))).toBe(Number(hash));
    for (const partitions of [1, 2, 3, 7, 12, 100, 4096]) {
      expect(partitionForKey(key, partitions)).toBe((Number(hash) & 0x7fffffff) % partitions);
    }
  });

  it('is an existing one, the same each time, for a string and for its bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 4096 }), (key, partitions) => {
        const partition = partitionForKey(key, partitions);
        expect(partition).toBe(partitionForKey(Buffer.from(key), partitions));
        expect(partition >= 0 && partition < partitions && Number.isInteger(partition)).toBe(true);
      }),
    );
  });
});
