import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TopicNotFoundError } from '@millrace/core';
import { Consumers, LogHandler, Millrace, MillraceHealth, QueueHandler } from '@millrace/nestjs';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { Controller, Get, Injectable } from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { rewriteStream } from '../rewritten-stream.js';
import { connectionTo, startApplication } from './application.js';
import { channelsModule, send } from './channels.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(stopEverything);

@Injectable()
class Inbox {
  @QueueHandler({ queue: 'work' })
  onQueue(): void {}

  @LogHandler({ topic: 'work', group: 'inbox' })
  onLog(): void {}
}

@Controller('health')
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly millrace: MillraceHealth,
  ) {}

  @Get()
  @HealthCheck()
  check(): ReturnType<HealthCheckService['check']> {
    const limits = { maxLag: 1, maxOldestMessageMs: 0, timeoutMs: 20_000 };
    return this.health.check([() => this.millrace.isHealthy('millrace', limits)]);
  }
}

interface Answer {
  readonly code: number;
  readonly status: string;
  readonly millrace: { readonly status: string; readonly problems: readonly string[] };
}

describe('the health indicator', () => {
  it('is up, degraded while something stands still or falls behind, and 503 while Redis is away', async () => {
    // given
    const application = await startApplication(connectionTo(redis), {
      imports: [channelsModule(), TerminusModule.forRoot({ logger: false })],
      controllers: [HealthController],
      providers: [Inbox],
    });
    await application.listen(0);
    const { port } = application.getHttpServer().address() as AddressInfo;
    const ask = async (): Promise<Answer> => {
      const response = await fetch(`http://127.0.0.1:${port}/health`);
      const body = (await response.json()) as { status: string; details: { millrace: Answer['millrace'] } };
      return { code: response.status, status: body.status, millrace: body.details.millrace };
    };
    expect(await ask()).toMatchObject({ code: 200, status: 'ok', millrace: { status: 'up', problems: [] } });
    // when: a handler is stopped and its records wait
    await application.get(Consumers).find('Inbox.onLog')?.stop();
    for (const n of [1, 2]) await send(application, 'log', n);
    // then
    expect(await ask()).toMatchObject({
      code: 200,
      status: 'degraded',
      millrace: { problems: ['Inbox.onLog is stopped', '2 records are still to be read'] },
    });
    // when: Redis goes, and comes back
    await redis.kill();
    await waitFor(() => !application.get(Millrace).connection.isUp, { what: 'the outage to be noticed' });
    const down = await ask();
    await redis.restart();
    await waitFor(async () => (await ask()).code === 200, { what: 'the health to be back' });
    // then
    expect(down).toMatchObject({ code: 503, status: 'error', millrace: { status: 'down' } });
    // A stranger who asks learns no host and no port.
    expect(down.millrace.problems).toEqual(['Redis is unavailable (default): unreachable']);
    await application.close();
  });

  it('says which partition stands still because only a newer process can read it', async () => {
    // given a batch of a newer format version
    const options = connectionTo(redis, { connection: { url: redis.url, prefix: 'standstill' } });
    const application = await startApplication(options, {
      imports: [channelsModule()],
      providers: [Inbox],
    });
    await application.get(Consumers).find('Inbox.onLog')?.stop();
    await send(application, 'log', 1);
    const admin = redis.client();
    const records = 'standstill:{log:work:0}:records';
    const [[id = ''] = []] = await admin.xrevrange(records, '+', '-', 'COUNT', 1);
    const offset = Number(id.slice(2)) - 1;
    const last = (await admin.xlen(records)) - 1;
    await rewriteStream(admin, records, (frame, index) => (index === last ? Buffer.from([2, 0, 0]) : frame));

    // when its group comes to it
    await application.get(Consumers).find('Inbox.onLog')?.start();
    const health = application.get(MillraceHealth);
    await waitFor(async () => (await health.check()).problems.length > 0, { what: 'a problem' });

    // then the health says where and why
    const why = `group inbox: work/0 stands still: the batch at offset ${offset} has format version 2`;
    expect(await health.check()).toMatchObject({
      status: 'degraded',
      problems: [expect.stringContaining(why)],
    });
    await application.close();
  });

  it('is degraded when Redis has lost its data, and the group reports that its topic is gone', async () => {
    // given a Redis of its own
    const own = await startRedis();
    const application = await startApplication(connectionTo(own), { imports: [channelsModule()], providers: [Inbox] });
    const health = application.get(MillraceHealth);
    const { events, log, broker } = application.get(Millrace);
    const reported: unknown[] = [];
    events.on('background-error', ({ error }) => reported.push(error));
    expect(await health.check()).toMatchObject({ status: 'up' });
    // when
    const admin = own.client();
    await admin.flushall();
    // then
    expect(await health.check()).toMatchObject({
      status: 'degraded',
      problems: ['queue work of Inbox.onQueue does not exist', 'topic work of Inbox.onLog does not exist'],
    });
    // The queue's consumer reports it with its next heartbeat, some seconds later.
    await waitFor(() => reported.some((error) => error instanceof TopicNotFoundError), {
      what: "the group's consumer to report it",
    });
    // when it is declared again
    await log.declareTopic({ name: 'work' });
    await broker.declareQueue({ name: 'work' });
    // then
    expect((await health.check()).problems).toEqual([]);
    await application.close();
  });
});
