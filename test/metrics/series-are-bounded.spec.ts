import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisServer, startRedis, waitFor } from '@millrace/testing';
import { linesOf } from './exposition.js';
import { openMeasured, ownPrefix } from './measured.js';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

const names = ['a', 'b', 'c', 'd', 'e'];
const published = 'millrace_messages_published_total';

/** Five exchanges, queues, topics and groups, the first with a message, the next with two; of each kind two have series by name. */
async function fiveOfEach() {
  const measured = await openMeasured(server, ownPrefix(), { maxSeries: 2, detail: { sources: true } });
  const { broker, connection, log } = measured;
  const warnings: string[] = [];
  connection.on('warning', (text) => void warnings.push(text));
  const now = Date.now();
  for (const [index, name] of names.entries()) {
    const bodies = Array.from({ length: index + 1 }, (_, n) => n);
    const timestamp = now - (index === 3 ? 2 : 1) * 3_600_000;
    await broker.declare({ exchanges: [{ name, type: 'fanout' }], queues: [{ name }] });
    await broker.bind({ exchange: name, queue: name });
    await broker.publishBatch(
      bodies.map((body) => ({ exchange: name, routingKey: '', body, properties: { timestamp } })),
    );
    await log.declareTopic({ name });
    await log.producer().sendBatch(bodies.map((value) => ({ topic: name, value })));
    await log.groups.resetOffsets(name, { topic: name, to: index });
  }
  return { ...measured, warnings };
}

/** The values of a metric by one of its labels. */
function valuesOf(text: string, metric: string, label: string): Record<string, number> {
  return Object.fromEntries(linesOf(text, metric).map(({ labels, value }) => [labels[label] ?? '', value]));
}

describe('a metric with many names', () => {
  it('has series for the first of them and one for the rest, in gauges and counters alike, and the sum is that of all', async () => {
    // given
    const { broker, metrics, close, warnings } = await fiveOfEach();
    // when
    const text = await metrics.scrape();
    // then
    const ready = 'millrace_queue_messages_ready';
    expect(valuesOf(text, ready, 'queue')).toEqual({ a: 1, b: 2, '(other)': 12 });
    expect(valuesOf(text, published, 'source')).toEqual({ 'exchange:a': 1, 'exchange:b': 2, '(other)': 12 });
    expect(valuesOf(text, 'millrace_topic_partition_current_offset', 'topic')).toEqual({ a: 1, b: 2, '(other)': 12 });
    expect(linesOf(text, 'millrace_consumergroup_lag_sum')).toMatchObject([
      { labels: { consumergroup: 'a', topic: 'a' }, value: 1 },
      { labels: { consumergroup: 'b', topic: 'b' }, value: 1 },
      { labels: { consumergroup: '(other)', topic: '(other)' }, value: 3 },
    ]);
    // of what cannot be summed, the worst
    expect(valuesOf(text, 'millrace_consumergroup_status', 'consumergroup')).toEqual({ a: 1, b: 1, '(other)': 1 });
    const oldest = valuesOf(text, 'millrace_queue_oldest_message_seconds', 'queue')['(other)'] ?? 0;
    expect([oldest >= 7200, oldest < 10_800]).toEqual([true, true]);
    // when handlers take what is there
    const consumers = names.map((queue) => broker.consumer({ queue, handler: () => undefined }));
    for (const consumer of consumers) await consumer.start();
    const handled = 'millrace_handler_duration_seconds_count';
    await waitFor(
      async () => {
        const counts = valuesOf(await metrics.scrape(), handled, 'handler');
        return Object.values(counts).reduce((sum, count) => sum + count, 0) === 15;
      },
      { what: 'all messages' },
    );
    // then
    expect(valuesOf(await metrics.scrape(), handled, 'handler')).toEqual({ a: 1, b: 2, '(other)': 12 });
    const inFlight = valuesOf(await metrics.scrape(), 'millrace_handlers_in_flight', 'handler');
    expect(inFlight).toEqual({ a: 0, b: 0, '(other)': 0 });
    // and that was reported once for each set of labels
    expect(warnings.map((text) => /series by (.*); the rest/.exec(text)?.[1]).sort()).toEqual([
      'consumergroup',
      'consumergroup, topic',
      'handler',
      'queue',
      'source',
      'topic',
    ]);
    await close();
  });

  it('gives the series of what is deleted to others, and keeps what was counted for them together', async () => {
    // given
    const { broker, metrics, close } = await fiveOfEach();
    const queues = async () => Object.keys(valuesOf(await metrics.scrape(), 'millrace_queue_messages', 'queue'));
    expect(await queues()).toEqual(['a', 'b', '(other)']);
    // when
    await broker.deleteExchange('a');
    await broker.deleteQueue('a');
    // then
    await waitFor(async () => (await queues()).join() === 'b,c,(other)', { what: 'the place to be taken' });
    await broker.publish('e', '', 'one more');
    const counts = valuesOf(await metrics.scrape(), published, 'source');
    expect(counts).toEqual({ 'exchange:b': 2, '(other)': 12, 'exchange:e': 1 });
    await close();
  });
});
