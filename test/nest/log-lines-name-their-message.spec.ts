import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Consumers, LogHandler, Millrace, QueueHandler } from '@millrace/nestjs';
import { MillraceServer } from '@millrace/nestjs/transport';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import {
  Controller,
  type INestApplication,
  Injectable,
  Logger,
  type LoggerService,
  type ModuleMetadata,
} from '@nestjs/common';
import { EventPattern, MessagePattern } from '@nestjs/microservices';
import { connectionTo, createApplication } from './application.js';
import { channelsModule } from './channels.js';

let redis: RedisServer;
const lines: string[] = [];
const note = (line: unknown): void => void lines.push(String(line));
const logger: LoggerService = { log: note, warn: note, error: note };

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(stopEverything);

const idle = (): void => undefined;
let release: () => void = idle;
const begun: string[] = [];

@Injectable()
class Work {
  @LogHandler({ topic: 'work', group: 'desk', retry: { maxRetries: 1, backoff: 0 } })
  async onRecord(payload: string): Promise<void> {
    await this.#work(payload);
  }

  @QueueHandler({ queue: 'work', retry: { maxRetries: 1, backoff: 0 } })
  async onMessage(payload: string): Promise<void> {
    await this.#work(payload);
  }

  async #work(payload: string): Promise<void> {
    begun.push(payload);
    if (payload === 'fails') throw new Error('boom');
    if (payload === 'hangs') await new Promise<void>(() => undefined);
    if (payload === 'ends') {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
    }
  }
}

async function start(options: Parameters<typeof connectionTo>[1] = {}, metadata: ModuleMetadata = {}) {
  lines.length = 0;
  release = idle;
  const application = await createApplication(connectionTo(redis, { logging: true, ...options }), {
    imports: [channelsModule()],
    providers: [Work],
    ...metadata,
  });
  // The application of a test is made without a logger.
  Logger.overrideLogger(logger);
  await application.init();
  return { application, millrace: application.get(Millrace) };
}

/** What ends from now on is drained. */
async function stopBegins(application: INestApplication): Promise<void> {
  const { all } = application.get(Consumers);
  await waitFor(() => all.every(({ isRunning }) => !isRunning), { what: 'the stop to begin' });
}

describe('what the application logs', () => {
  it('names the record or the message that failed', async () => {
    // given
    const { application, millrace } = await start();
    // when
    await millrace.producer.send({ topic: 'work', key: 'cus\ntomer', value: 'fails' });
    await millrace.broker.sendToQueue('work', 'fails', { messageId: 'order-7' });
    await waitFor(() => lines.filter((line) => line.includes('gave up')).length === 2, { what: 'two dead letters' });
    // then
    const record = 'topic:work, partition 0, offset 0, key "cus\\ntomer"';
    const message = 'queue:work, message "order-7"';
    expect(lines).toEqual(
      expect.arrayContaining([
        `Work.onRecord failed (${record}, attempt 1), next try in 0 ms: boom`,
        `Work.onRecord gave up (${record}, failed): boom`,
        `Work.onMessage failed (${message}, attempt 1), next try in 0 ms: boom`,
        `Work.onMessage gave up (${message}, failed): boom`,
      ]),
    );
    await application.close();
  });

  it('names a queue that is deleted under its consumer once, however often the consumer looks for it, and once more when it goes again', async () => {
    // given
    const { application, millrace } = await start();
    const { broker, events } = millrace;
    let looks = 0;
    let starts = 0;
    events.on('background-error', () => looks++);
    events.on('consumer-started', () => starts++);
    const remove = async (): Promise<void> => {
      looks = 0;
      await broker.deleteQueue('work');
      await waitFor(() => looks >= 3, { what: 'the consumer to look for its queue' });
    };
    const missing = (): string[] => lines.filter((line) => line.includes('queue "work" does not exist'));
    // when
    await remove();
    const whileGone = missing();
    await broker.declareQueue({ name: 'work' });
    await waitFor(() => starts === 1, { what: 'the consumer to find it' });
    await remove();
    // then
    expect(whileGone).toEqual([
      expect.stringMatching('consumer of queue work failed, trying again: queue "work" does not exist'),
    ]);
    expect(missing()).toEqual([...whileGone, ...whileGone]);
    await application.close();
  });

  it('lists the handlers at the start, and at the stop what was drained and what was abandoned', async () => {
    // given
    const { application, millrace } = await start({ shutdownDeadlineMs: 2000 });
    expect(lines).toEqual(
      expect.arrayContaining([
        'Consuming from group "desk" of work: Work.onRecord',
        'Consuming from queue "work": Work.onMessage',
      ]),
    );
    let running = 0;
    millrace.events.on('delivered', () => running++);
    // when
    await millrace.broker.sendToQueue('work', 'ends');
    await waitFor(() => running === 1 && release !== idle, { what: 'the first' });
    await millrace.broker.sendToQueue('work', 'hangs');
    await waitFor(() => running === 2, { what: 'the second' });
    const closing = application.close();
    await stopBegins(application);
    release();
    await closing;
    // then
    expect(lines).toContain('Stopped consuming from group "desk" of work: no handler was running');
    expect(lines).toContain(
      'Stopped consuming from queue "work": 1 running handlers ended, abandoned: Work.onMessage (1); their messages are handled again',
    );
  });

  it('lists at the stop what was drained and abandoned of a log, too', async () => {
    // given
    const { application, millrace } = await start({ shutdownDeadlineMs: 2000 });
    begun.length = 0;
    await millrace.producer.send({ topic: 'work', key: 'a', value: 'ends' });
    await millrace.producer.send({ topic: 'work', key: 'b', value: 'hangs' });
    await waitFor(() => begun.length === 2, { what: 'both records' });
    // when
    const closing = application.close();
    await stopBegins(application);
    release();
    await closing;
    // then
    expect(lines).toContain(
      'Stopped consuming from group "desk" of work: 1 running handlers ended, abandoned: Work.onRecord (1); their messages are handled again',
    );
  });

  it('lists the handlers of a transport too, of events and of requests', async () => {
    // given
    @Controller()
    class Service {
      @EventPattern('user.created')
      onUser(_user: unknown): void {}

      @MessagePattern('sum')
      sum(_numbers: unknown): number {
        return 0;
      }
    }
    const { application, millrace } = await start({}, { controllers: [Service] });
    const service = application.connectMicroservice({
      strategy: new MillraceServer({ connection: millrace, queue: 'service' }),
    });
    // when
    await service.listen();
    await application.close();
    // then
    expect(lines).toEqual(
      expect.arrayContaining([
        'Consuming from queue "service": user.created',
        'Consuming from queue "service.requests": sum',
        'Stopped consuming from queue "service": no handler was running',
        'Stopped consuming from queue "service.requests": no handler was running',
      ]),
    );
  });

  it('counts what each consumer of a group drains', async () => {
    // given
    const { application, millrace } = await start();
    const consumers = application.get(Consumers);
    const topics = [{ name: 'other' }];
    await millrace.declare({ topics });
    let end = idle;
    const onOther = (): Promise<void> =>
      new Promise((resolve) => {
        end = resolve;
      });
    await consumers.subscribeLog({ topic: 'other', group: 'desk', name: 'other' }, onOther);
    millrace.events.on('consumer-stopped', ({ handler }) => handler === 'Work.onRecord' && end());
    await millrace.producer.send({ topic: 'work', value: 'ends' });
    await millrace.producer.send({ topic: 'other', value: 'ends later' });
    await waitFor(() => release !== idle && end !== idle, { what: 'both handlers to begin' });
    // when
    const closing = application.close();
    await stopBegins(application);
    release();
    await closing;
    // then
    expect(lines).toContain('Stopped consuming from group "desk" of work: 1 running handlers ended');
    expect(lines).toContain('Stopped consuming from group "desk" of other: 1 running handlers ended');
  });

  it('has no word of the advice that ioredis gives', async () => {
    // given
    const { application, millrace } = await start();
    // when: commands are in flight while Redis goes
    await redis.freeze();
    const { connection, broker } = millrace;
    const asked = [connection.commands.ping(), broker.queue('work').message('none')];
    const lost = Promise.allSettled(asked);
    await redis.kill();
    for (const result of await lost) note(result.status === 'rejected' ? result.reason : 'was answered');
    await waitFor(() => !millrace.connection.isUp, { what: 'the outage' });
    await millrace.connection.commands.ping().catch(note);
    await redis.restart();
    await waitFor(() => millrace.connection.isUp, { what: 'Redis' });
    // then
    expect(lines).not.toContain('was answered');
    expect(lines.join('\n')).not.toMatch(/max retries per request|maxRetriesPerRequest/i);
    await application.close();
  });
});
