import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type ExchangePublisher,
  getExchangeToken,
  InjectProducer,
  LogHandler,
  MillraceModule,
  QueueHandler,
  type TopicProducer,
} from '@millrace/nestjs';
import { type RedisServer, startRedis, waitFor } from '@millrace/testing';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { ownPrefix } from './measured.js';

const exporter = new InMemorySpanExporter();
let server: RedisServer;

beforeAll(async () => {
  server = await startRedis();
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
});

afterAll(() => server.stop());

@Injectable()
class Desk {
  constructor(@InjectProducer('audit') readonly audit: TopicProducer) {}

  @QueueHandler({ queue: 'desk', bind: [{ exchange: 'events', routingKey: 'order.*' }] })
  async onOrder(order: unknown): Promise<void> {
    await this.audit.send({ value: order });
  }

  @LogHandler({ topic: 'audit', group: 'auditors' })
  onAudit(): void {}
}

async function applicationWith(options: { readonly tracing?: boolean }) {
  const connection = { ...server.connection, prefix: ownPrefix() };
  const exchanges = [{ name: 'events', type: 'topic' as const }];
  const testing = await Test.createTestingModule({
    imports: [
      MillraceModule.forRoot({ connection, exchanges, topics: [{ name: 'audit' }], logging: false, ...options }),
    ],
    providers: [Desk],
  }).compile();
  return testing.createNestApplication({ logger: false }).init();
}

describe('a Nest application with tracing', () => {
  it('has one trace from the publisher through every handler', async () => {
    // given
    const application = await applicationWith({ tracing: true });
    // when
    await application.get<ExchangePublisher>(getExchangeToken('events')).publish('order.created', { id: 1 });
    await waitFor(() => exporter.getFinishedSpans().length >= 4, { what: 'four spans' });
    // then
    const spans = exporter.getFinishedSpans();
    expect(spans.map(({ name }) => name).sort()).toEqual([
      'process audit',
      'process desk',
      'publish events',
      'send audit',
    ]);
    expect(new Set(spans.map((span) => span.spanContext().traceId)).size).toBe(1);
    await application.close();
  });

  it('has none unless it is asked for', async () => {
    // given
    const application = await applicationWith({});
    exporter.reset();
    // when
    const { audit } = application.get(Desk);
    await audit.send({ value: 1 });
    await application.close();
    // then
    expect(exporter.getFinishedSpans()).toEqual([]);
  });
});
