import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MillraceMetrics, MillraceMetricsModule, MillraceModule } from '@millrace/nestjs';
import { type RedisServer, startRedis } from '@millrace/testing';
import { Test } from '@nestjs/testing';
import { sampleOf } from './exposition.js';
import { ownPrefix } from './measured.js';

let server: RedisServer;

beforeAll(async () => {
  server = await startRedis();
});

afterAll(() => server.stop());

describe('GET /metrics', () => {
  it('replies in the text format of Prometheus, at the path that was chosen', async () => {
    // given
    const connection = { ...server.connection, prefix: ownPrefix() };
    const testing = await Test.createTestingModule({
      imports: [
        MillraceModule.forRoot({ connection, queues: [{ name: 'mail' }], logging: false }),
        MillraceMetricsModule.forRoot({ path: 'internal/metrics', detail: true, scrapeTimeoutMs: 20_000 }),
      ],
    }).compile();
    const app = testing.createNestApplication({ logger: false });
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as AddressInfo;
    // when
    const answer = await fetch(`http://127.0.0.1:${port}/internal/metrics`);
    const text = await answer.text();
    // then
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(sampleOf(text, 'millrace_redis_up')).toBe(1);
    expect(sampleOf(text, 'millrace_queue_messages', { queue: 'mail' })).toBe(0);
    expect(app.get(MillraceMetrics).metrics.registry.contentType).toBe(answer.headers.get('content-type'));
    await app.close();
  });
});
