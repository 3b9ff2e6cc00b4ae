import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisServer, startRedis, waitFor } from '@millrace/testing';
import { parseExposition, sampleOf } from './exposition.js';
import { openMeasured, ownPrefix } from './measured.js';

/** Reported by every process for itself. */
const ownMetrics = /^millrace_(redis_up|messages_|handler|retries|leases_lost|background_errors|event_loop)/;
let server: RedisServer;

beforeAll(async () => {
  server = await startRedis();
});

afterAll(() => server.stop());

describe('two processes with metrics', () => {
  it('report lag and depth once, and the other goes on when one stops or dies', async () => {
    // given two processes on one prefix, both scraped
    const prefix = ownPrefix();
    const first = await openMeasured(server, prefix);
    const second = await openMeasured(server, prefix);
    await first.log.declareTopic({ name: 'orders', partitions: 2 });
    await first.broker.declareQueue({ name: 'mail' });
    await first.broker.sendToQueue('mail', 'hello');
    // when both are scraped, then each series of the prefix is there once
    for (let round = 0; round < 5; round++) {
      const lines = [await first.metrics.scrape(), await second.metrics.scrape()].flatMap(parseExposition);
      const shared = lines.filter(({ name }) => !ownMetrics.test(name)).map((line) => JSON.stringify(line));
      expect(shared).not.toEqual([]);
      expect(new Set(shared).size).toBe(shared.length);
      expect(lines.filter(({ name }) => name === 'millrace_queue_messages')).toMatchObject([{ value: 1 }]);
    }
    // when one that does not read stops, then the reading stays where it is
    const standby = await openMeasured(server, prefix);
    await standby.metrics.scrape();
    await standby.metrics.stop();
    expect(sampleOf(await second.metrics.scrape(), 'millrace_queue_messages')).toBeUndefined();
    // when the process that reports stops, then the other reports at its next scrape
    await first.metrics.stop();
    expect(sampleOf(await second.metrics.scrape(), 'millrace_queue_messages')).toBe(1);
    // when that process dies, then a third reports once the lease has expired, which is made to be soon
    const third = await openMeasured(server, prefix);
    expect(sampleOf(await third.metrics.scrape(), 'millrace_queue_messages')).toBeUndefined();
    second.connection.close();
    expect(await third.connection.commands.pttl(`${prefix}:{metrics}:sampler`)).toBeGreaterThan(0);
    await third.connection.commands.pexpire(`${prefix}:{metrics}:sampler`, 1);
    await waitFor(async () => sampleOf(await third.metrics.scrape(), 'millrace_queue_messages') === 1, {
      what: 'the third process to take over',
    });
    await Promise.all([first, second, standby, third].map((process) => process.close()));
  });

  it('leaves the reading to a process that is scraped', async () => {
    // given a process that runs and is never scraped
    const prefix = ownPrefix();
    const silent = await openMeasured(server, prefix);
    await silent.broker.declareQueue({ name: 'mail' });
    const scraped = await openMeasured(server, prefix);
    // when, then
    expect(sampleOf(await scraped.metrics.scrape(), 'millrace_queue_messages')).toBe(0);
    await Promise.all([silent.close(), scraped.close()]);
  });
});
