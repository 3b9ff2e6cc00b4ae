import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type RedisServer, startRedis } from '@millrace/testing';
import type { Place } from '../place.js';
import type { Sample } from '../scenario.js';
import { againstScenarios } from './scenarios.js';

// The sources that Jest runs against what `npm run build` made of them: two builds in one process.
const against = fileURLToPath(new URL('../../../..', import.meta.url));

describe('a build against another', () => {
  let server: RedisServer;

  beforeEach(async () => {
    server = await startRedis();
  });
  afterEach(() => server.stop());

  async function measured(name: string): Promise<Sample | undefined> {
    const place: Place = {
      durability: 'none',
      quick: true,
      round: 1,
      warmUpMs: 0,
      windowMs: 0,
      redisUrl: server.url,
      against,
    };
    return againstScenarios.find((scenario) => scenario.name === name)?.subjects.millrace?.(place);
  }

  it('handles every message of both on one Redis', async () => {
    const sample = await measured('against.queue.bulk');
    // then: 3 warm-ups and 8 pairs of 8 batches of 500
    expect(sample?.delivery).toEqual({ sent: 2 * 11 * 8 * 500, duplicates: 0 });
    const names = ['against.queue.bulk', 'against.queue.bulk.cpu', 'against.queue.bulk.redis'];
    expect(Object.keys(sample?.values ?? {}).sort()).toEqual(names);
    for (const ratio of Object.values(sample?.values ?? {})) expect(ratio).toBeGreaterThan(0);
  });

  it('compares what a waiting message takes of memory', async () => {
    const sample = await measured('against.queue.memory');
    expect(sample?.delivery).toEqual({ sent: 2 * 10_001, duplicates: 0 });
    expect(sample?.values['against.queue.memory']).toBeCloseTo(1, 1);
  });
});
