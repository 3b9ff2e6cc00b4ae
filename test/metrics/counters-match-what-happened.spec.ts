import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DeadLetter, UnroutableError } from '@millrace/core';
import { type RedisServer, startRedis, waitFor } from '@millrace/testing';
import { linesOf, sampleOf } from './exposition.js';
import { openMeasured, ownPrefix } from './measured.js';

let server: RedisServer;

beforeAll(async () => {
  server = await startRedis();
});

afterAll(() => server.stop());

describe('counters', () => {
  it('match what a queue and its handler did', async () => {
    // given a queue bound to an exchange, and a handler that counts: every 5th message fails once, every 10th is given up
    const { broker, metrics, close } = await openMeasured(server, ownPrefix());
    await broker.declareExchange({ name: 'events', type: 'topic' });
    for (const name of ['mail', 'audit']) {
      await broker.declareQueue({ name });
      await broker.bind({ queue: name, exchange: 'events', routingKey: 'order.#' });
    }
    const seen = { calls: 0, failures: 0, givenUp: 0, done: 0 };
    const handler = (number: unknown, { attempt }: { attempt: number }): void => {
      seen.calls++;
      if (Number(number) % 10 === 0) {
        seen.givenUp++;
        throw new DeadLetter('every tenth');
      }
      if (Number(number) % 5 === 0 && attempt === 1) {
        seen.failures++;
        throw new Error('the first time');
      }
      seen.done++;
    };
    const retry = { maxRetries: 2, backoff: { kind: 'fixed', delayMs: 1 } } as const;
    const consumer = broker.consumer({ queue: 'mail', name: 'Mailer', handler, retry });
    await consumer.start();
    // when 100 messages are published, 7 reach no queue, and 2 more are refused for it
    for (let number = 1; number <= 100; number++) await broker.publish('events', 'order.created', number);
    for (let number = 0; number < 7; number++) await broker.publish('events', 'no.queue', number);
    for (let number = 0; number < 2; number++) {
      await expect(broker.publish('events', 'no.queue', number, { mandatory: true })).rejects.toThrow(UnroutableError);
    }
    const isSettled = (text: string): boolean =>
      sampleOf(text, 'millrace_messages_acknowledged_total') === 90 &&
      sampleOf(text, 'millrace_messages_dead_lettered_total', { reason: 'rejected' }) === 10;
    await waitFor(async () => isSettled(await metrics.scrape()), { what: 'a hundred messages to be settled' });
    // then
    const text = await metrics.scrape();
    expect(seen).toEqual({ calls: 110, failures: 10, givenUp: 10, done: 90 });
    expect(sampleOf(text, 'millrace_messages_published_total')).toBe(109);
    expect(sampleOf(text, 'millrace_messages_confirmed_total')).toBe(107);
    expect(sampleOf(text, 'millrace_messages_routed_total')).toBe(200);
    expect(sampleOf(text, 'millrace_messages_unroutable_total')).toBe(9);
    expect(sampleOf(text, 'millrace_messages_delivered_total')).toBe(seen.calls);
    expect(sampleOf(text, 'millrace_messages_redelivered_total')).toBe(seen.failures);
    expect(sampleOf(text, 'millrace_retries_total', { handler: 'Mailer' })).toBe(seen.failures);
    expect(sampleOf(text, 'millrace_messages_dead_lettered_total', { reason: 'rejected' })).toBe(seen.givenUp);
    expect(sampleOf(text, 'millrace_messages_dead_lettered_total', { reason: 'failed' })).toBe(0);
    const ended = linesOf(text, 'millrace_handler_duration_seconds_count');
    expect(Object.fromEntries(ended.map(({ labels, value }) => [labels.outcome, value]))).toEqual({
      completed: seen.done,
      failed: seen.failures,
      'given-up': seen.givenUp,
    });
    expect(sampleOf(text, 'millrace_handler_wait_seconds_count', { handler: 'Mailer' })).toBe(100);
    expect(sampleOf(text, 'millrace_handlers_in_flight', { handler: 'Mailer' })).toBe(0);
    expect(sampleOf(text, 'millrace_queue_messages', { queue: 'audit' })).toBe(100);
    await close();
  });

  it('match what a group did, and what died without a handler', async () => {
    // given
    const { log, broker, metrics, close } = await openMeasured(server, ownPrefix());
    await log.declareTopic({ name: 'orders' });
    const producer = log.producer();
    for (let number = 0; number < 20; number++) await producer.send({ topic: 'orders', value: number });
    await broker.declareQueue({ name: 'short', maxLength: 3, overflow: 'dead-letter', deadLetter: { queue: 'late' } });
    await broker.declareQueue({ name: 'late' });
    // when
    const consumer = log.consumer({ group: 'desk', topics: ['orders'], handler: () => undefined, name: 'Desk' });
    await consumer.start();
    for (let number = 0; number < 5; number++) await broker.sendToQueue('short', number);
    // then
    await waitFor(async () => sampleOf(await metrics.scrape(), 'millrace_consumergroup_lag_sum') === 0, {
      what: 'no lag',
    });
    await waitFor(async () => deathsOf(await metrics.scrape()) === 2, { what: 'two dead messages to be counted' });
    await waitFor(async () => (commitsOf(await metrics.scrape()) ?? 0) > 0, { what: 'a commit to be counted' });
    const text = await metrics.scrape();
    expect(sampleOf(text, 'millrace_consumergroup_offset_commits_total', { result: 'fenced' })).toBe(0);
    expect(sampleOf(text, 'millrace_consumergroup_members', { consumergroup: 'desk' })).toBe(1);
    expect(sampleOf(text, 'millrace_consumergroup_partitions_unreadable', { consumergroup: 'desk' })).toBe(0);
    expect(sampleOf(text, 'millrace_consumergroup_rebalances_total')).toBeGreaterThan(0);
    expect(sampleOf(text, 'millrace_handler_duration_seconds_count', { handler: 'Desk' })).toBe(20);
    await close();
  });
});

function commitsOf(text: string): number | undefined {
  return sampleOf(text, 'millrace_consumergroup_offset_commits_total', { result: 'ok' });
}

function deathsOf(text: string): number | undefined {
  return sampleOf(text, 'millrace_messages_dead_lettered_total', { reason: 'maxlen' });
}
