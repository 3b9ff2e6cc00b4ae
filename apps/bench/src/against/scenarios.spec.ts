import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { startRedis } from '@millrace/testing';
import type { Place } from '../place.js';
import { againstScenarios } from './scenarios.js';

// The sources that Jest runs against what `npm run build` made of them: two builds in one process.
const against = fileURLToPath(new URL('../../../..', import.meta.url));

describe('a build against another', () => {
  it('handles every message of both on one Redis', async () => {
    const server = await startRedis();
    const place: Place = {
      durability: 'none',
      quick: true,
      round: 1,
      warmUpMs: 0,
      windowMs: 0,
      redisUrl: server.url,
      against,
    };
    const bulk = againstScenarios.find(({ name }) => name === 'against.queue.bulk');
    // when
    const sample = await bulk?.subjects.millrace?.(place);
    await server.stop();
    // then: 3 warm-ups and 8 pairs of 20 batches of 500
    expect(sample?.delivery).toEqual({ sent: 2 * 11 * 20 * 500, duplicates: 0 });
    const names = ['against.queue.bulk', 'against.queue.bulk.cpu', 'against.queue.bulk.redis'];
    expect(Object.keys(sample?.values ?? {}).sort()).toEqual(names);
    for (const ratio of Object.values(sample?.values ?? {})) expect(ratio).toBeGreaterThan(0);
  });
});
