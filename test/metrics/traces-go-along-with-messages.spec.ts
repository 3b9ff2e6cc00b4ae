import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { instrument } from '@millrace/metrics';
import { type RedisServer, startRedis, waitFor } from '@millrace/testing';
import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { openMeasured, ownPrefix } from './measured.js';

const exporter = new InMemorySpanExporter();
let server: RedisServer;

beforeAll(async () => {
  server = await startRedis();
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
});

beforeEach(() => exporter.reset());

afterAll(() => server.stop());

describe('a trace', () => {
  it('goes from the publisher through a queue and a log to the last handler', async () => {
    // given a queue handler that writes a record, and a log handler that fails once
    const { log, broker, close } = await openMeasured(server, ownPrefix());
    expect(await instrument({ log, broker })).toBe(true);
    await broker.declareQueue({ name: 'mail' });
    await log.declareTopic({ name: 'orders' });
    const producer = log.producer();
    const seen: unknown[] = [];
    const first = broker.consumer({
      queue: 'mail',
      handler: async (_payload, { headers }) => {
        seen.push(headers);
        await producer.send({ topic: 'orders', value: 1 });
      },
    });
    const retry = { maxRetries: 1, backoff: { kind: 'fixed', delayMs: 1 } } as const;
    const handler = (_payload: unknown, { attempt }: { attempt: number }): void => {
      if (attempt === 1) throw new TypeError('the first time');
    };
    const second = log.consumer({ group: 'desk', topics: ['orders'], handler, retry });
    await Promise.all([first.start(), second.start()]);
    // when
    await broker.sendToQueue('mail', 'hello', { headers: { own: 'kept' } });
    await waitFor(() => exporter.getFinishedSpans().length === 5, { what: 'five spans' });
    // then
    const spans = exporter.getFinishedSpans();
    const [root] = spans.filter(({ name }) => name === 'send mail');
    expect(root).toMatchObject({ kind: SpanKind.PRODUCER, parentSpanContext: undefined });
    expect(new Set(spans.map((span) => span.spanContext().traceId)).size).toBe(1);
    expect(seen).toMatchObject([
      { own: 'kept', traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/) },
    ]);
    const [mail] = spans.filter(({ name }) => name === 'process mail');
    expect(mail?.kind).toBe(SpanKind.CONSUMER);
    expect(mail?.parentSpanContext?.spanId).toBe(root?.spanContext().spanId);
    const attempts = spans.filter(({ name }) => name === 'process orders');
    expect(attempts.map(({ status }) => status.code)).toEqual([SpanStatusCode.ERROR, SpanStatusCode.UNSET]);
    expect(attempts[0]?.attributes).toMatchObject({
      'messaging.system': 'millrace',
      'messaging.operation.type': 'process',
      'messaging.destination.name': 'orders',
      'messaging.destination.partition.id': '0',
      'messaging.consumer.group.name': 'desk',
      'error.type': 'TypeError',
    });
    await close();
  });

  it('hides no wrong headers: they are refused as without it', async () => {
    // given
    const { log, broker, close } = await openMeasured(server, ownPrefix());
    await instrument({ log, broker });
    await broker.declareQueue({ name: 'mail' });
    await log.declareTopic({ name: 'orders' });
    const headers = new Map([['own', 'lost']]) as unknown as Record<string, string>;
    // then
    await expect(broker.sendToQueue('mail', 1, { headers })).rejects.toThrow(/headers must be an object.*got a Map/);
    await expect(log.producer().send({ topic: 'orders', value: 1, headers })).rejects.toThrow(/got a Map/);
    await close();
  });

  it('of a batch is a span with a link to each sender', async () => {
    // given
    const { broker, close } = await openMeasured(server, ownPrefix());
    await instrument({ broker });
    await broker.declareQueue({ name: 'mail' });
    for (let number = 0; number < 3; number++) await broker.sendToQueue('mail', number);
    // when
    const batch = { maxMessages: 3, maxWaitMs: 20_000 };
    const consumer = broker.consumer({ queue: 'mail', batchHandler: () => undefined, batch });
    await consumer.start();
    const processed = () => exporter.getFinishedSpans().filter(({ name }) => name === 'process mail');
    await waitFor(() => processed().length > 0, { what: 'the span of the batch' });
    // then
    const senders = exporter.getFinishedSpans().filter(({ name }) => name === 'send mail');
    expect(processed()[0]?.links.map(({ context: { spanId } }) => spanId)).toEqual(
      senders.map((span) => span.spanContext().spanId),
    );
    await close();
  });
});
