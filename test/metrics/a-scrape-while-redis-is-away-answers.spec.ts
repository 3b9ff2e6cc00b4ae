import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisServer, startRedis, waitFor } from '@millrace/testing';
import { Gauge } from 'prom-client';
import { linesOf, sampleOf } from './exposition.js';
import { openMeasured, ownPrefix } from './measured.js';

let server: RedisServer;
/** What scrapes have by default, see docs/metrics.md. */
const hasty = { scrapeTimeoutMs: 800 };

beforeAll(async () => {
  server = await startRedis({ aof: 'always' });
});

afterAll(() => server.stop());

describe('a scrape', () => {
  it('answers while Redis is frozen, by its own deadline and not by that of the connection', async () => {
    // given a connection that itself would wait for a minute, and a scrape that went well
    const measured = await openMeasured(server, ownPrefix(), hasty, { commandTimeoutMs: 60_000 });
    const { metrics, broker, close } = measured;
    await broker.declareQueue({ name: 'mail' });
    await broker.sendToQueue('mail', 'hello');
    await waitFor(async () => sampleOf(await metrics.scrape(), 'millrace_redis_up') === 1, { what: 'a good scrape' });
    // when
    await server.freeze();
    const text = await metrics.scrape();
    // then what is not known has no series; what this process counted has
    expect(sampleOf(text, 'millrace_redis_up')).toBe(0);
    expect(linesOf(text, 'millrace_queue_messages')).toEqual([]);
    expect(sampleOf(text, 'millrace_messages_confirmed_total')).toBe(1);
    server.thaw();
    await waitFor(async () => sampleOf(await metrics.scrape(), 'millrace_queue_messages') === 1, { what: 'the depth' });
    await close();
  });

  it('succeeds while Redis is gone, and has all series again when it is back', async () => {
    // given
    const { metrics, broker, close } = await openMeasured(server, ownPrefix(), hasty);
    await broker.declareQueue({ name: 'mail' });
    await broker.sendToQueue('mail', 'hello');
    // when
    await server.kill();
    const text = await metrics.scrape();
    // then
    expect(sampleOf(text, 'millrace_redis_up')).toBe(0);
    expect(linesOf(text, 'millrace_queue_messages')).toEqual([]);
    await server.restart();
    const back = await waitFor(
      async () => {
        const scraped = await metrics.scrape();
        return sampleOf(scraped, 'millrace_queue_messages') === 1 ? scraped : undefined;
      },
      { what: 'the depth' },
    );
    expect(sampleOf(back, 'millrace_redis_up')).toBe(1);
    await close();
  });

  it('that has no time to read every queue reports it', async () => {
    // given more queues than can be read in a millisecond
    const { metrics, broker, close } = await openMeasured(server, ownPrefix(), { scrapeTimeoutMs: 1 });
    await broker.declare({ queues: Array.from({ length: 500 }, (_, n) => ({ name: `mail-${n}` })) });
    const reports: string[] = [];
    broker.events.on('background-error', ({ duty, error }) => reports.push(`${duty}: ${String(error)}`));
    // when
    const isReported = async (): Promise<boolean> => {
      await metrics.scrape();
      return reports.length > 0;
    };
    await waitFor(isReported, { what: 'a report' });
    // then
    expect(reports[0]).toMatch(/^metrics scrape: .*longer than scrapeTimeoutMs \(1 ms\)/);
    await close();
  });

  it('that fails says so in its response, and why in the log alone', async () => {
    // given a metric of the user's own that cannot be collected
    const { connection, metrics, close } = await openMeasured(server, ownPrefix(), hasty);
    const collect = (): never => {
      throw new Error('no way to 10.0.0.7');
    };
    new Gauge({ name: 'own', help: 'Its own.', registers: [metrics.registry], collect });
    const warnings: string[] = [];
    connection.on('warning', (text) => void warnings.push(text));
    const http = createServer(metrics.handle).listen(0, '127.0.0.1');
    await once(http, 'listening');
    // when
    const response = await fetch(`http://127.0.0.1:${(http.address() as AddressInfo).port}/metrics`);
    // then
    expect([response.status, await response.text()]).toEqual([500, 'The scrape failed: see the log.\n']);
    expect(warnings).toEqual(['metrics: a scrape failed: no way to 10.0.0.7']);
    http.close();
    await close();
  });
});
