import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Events } from '@millrace/delivery';
import { waitFor } from '@millrace/testing';
import { LogOnRedis, times } from './log-on-redis.js';

const count = 5000;

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

describe('records whose handlers end immediately', () => {
  it('are emitted to metrics in runs, each once, however many end in one turn of the event loop', async () => {
    // given
    const events = new Events();
    const runs: { count: number; timestamps: number[]; areSane: boolean }[] = [];
    let single = 0;
    events.onHandled(
      () => single++,
      (run) => {
        const shown = (values: Float64Array) => [...values.subarray(0, run.count)];
        runs.push({
          count: run.count,
          timestamps: shown(run.timestamps),
          areSane: shown(run.durationsMs).every((ms) => ms >= 0) && shown(run.startedAts).every((at) => at > 0),
        });
      },
    );
    const log = await redis.another({}, { events });
    const topic = await redis.topic();
    await redis.log.producer().sendBatch(times(count, (value) => ({ topic, value, timestamp: value + 1 })));

    // when
    let handled = 0;
    const consumer = log.consumer({ group: 'g', topics: topic, handler: () => void handled++ });
    await consumer.start();
    await waitFor(() => handled === count, { what: 'all to be handled' });
    await consumer.stop();

    // then
    expect(runs.flatMap(({ timestamps }) => timestamps)).toEqual(times(count, (value) => value + 1));
    expect(runs.filter(({ areSane }) => !areSane)).toEqual([]);
    expect(single).toBe(0);
    expect(Math.max(...runs.map((run) => run.count))).toBeGreaterThan(32);
  });
});
