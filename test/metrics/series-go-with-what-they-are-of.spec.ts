import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { OptionsError } from '@millrace/core';
import { Metrics } from '@millrace/metrics';
import { type RedisServer, startRedis, waitFor } from '@millrace/testing';
import { Counter, Registry } from 'prom-client';
import { linesOf, sampleOf } from './exposition.js';
import { openMeasured, ownPrefix } from './measured.js';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

const published = 'millrace_messages_published_total';

describe('metrics in a registry', () => {
  it('make room for those of the next application, and leave others alone', async () => {
    // given one application after another in one process, with metrics of its own in the same registry
    const registry = new Registry();
    new Counter({ name: 'own_total', help: 'Its own.', registers: [registry] }).inc(3);
    const first = await openMeasured(server, ownPrefix(), { registry });
    await first.broker.declareQueue({ name: 'mail' });
    await first.broker.sendToQueue('mail', 1);
    await first.close();
    expect(sampleOf(await registry.metrics(), published)).toBe(1);
    // when
    const second = await openMeasured(server, ownPrefix(), { registry });
    // then
    const text = await registry.metrics();
    expect(sampleOf(text, published)).toBe(0);
    expect(sampleOf(text, 'own_total')).toBe(3);
    await second.close();
  });

  it('are refused beside those of one that was not stopped, and leave nothing then', async () => {
    // given
    const registry = new Registry();
    const first = await openMeasured(server, ownPrefix(), { registry });
    const { connection, log } = first;
    const again = (into: Registry): Metrics => new Metrics({ connection, events: log.events }, { registry: into });
    // then
    expect(() => again(registry)).toThrow(OptionsError);
    expect(() => again(registry)).toThrow(/another Metrics that was not stopped: stop it first/);
    // when a name is taken by a metric that is not ours
    const taken = new Registry();
    new Counter({ name: 'millrace_retries_total', help: 'Not ours.', registers: [taken] });
    const listening = log.events.listenerCount('published');
    // then
    expect(() => again(taken)).toThrow(/millrace_retries_total/);
    expect(taken.getMetricsAsArray()).toHaveLength(1);
    expect(log.events.listenerCount('published')).toBe(listening);
    await first.close();
  });

  it('of a queue, a topic or an exchange go when that is deleted, by any process', async () => {
    // given
    const prefix = ownPrefix();
    const { broker, log, metrics, close } = await openMeasured(server, prefix, { detail: { sources: true } });
    const other = await openMeasured(server, prefix);
    await broker.declareQueue({ name: 'mail' });
    await broker.declareQueue({ name: 'kept' });
    await broker.declareExchange({ name: 'news', type: 'fanout' });
    await log.declareTopic({ name: 'orders' });
    const fail = (): never => {
      throw new Error('no');
    };
    const consumers = [
      broker.consumer({ queue: 'mail', handler: fail, retry: false }),
      log.consumer({ group: 'g', topics: ['orders'], handler: fail, retry: false }),
    ];
    for (const consumer of consumers) await consumer.start();
    for (const queue of ['mail', 'kept']) await broker.sendToQueue(queue, 1);
    await broker.publish('news', '', 1);
    await log.producer().send({ topic: 'orders', value: 1 });
    const sources = async (): Promise<string[]> => {
      const text = await metrics.scrape();
      const counters = ['published', 'delivered', 'dead_lettered'].map((name) => `millrace_messages_${name}_total`);
      const lines = counters.flatMap((name) => linesOf(text, name));
      return [...new Set(lines.map(({ labels }) => labels.source ?? ''))].sort();
    };
    const all = ['exchange:', 'exchange:news', 'queue:mail', 'topic:orders'];
    await waitFor(async () => String(await sources()) === String(all), { what: 'a series for each' });
    // when
    for (const consumer of consumers) await consumer.stop();
    await other.broker.deleteQueue('mail');
    await other.broker.deleteExchange('news');
    await other.log.deleteTopic('orders');
    // then
    expect(await sources()).toEqual(['exchange:']);
    await Promise.all([close(), other.close()]);
  });
});
