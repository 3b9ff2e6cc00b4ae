import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { OptionsError } from '@millrace/core';
import { Log } from '@millrace/log';
import {
  type BatchMessage,
  type BatchRecord,
  defineQueue,
  defineTopic,
  InjectMillrace,
  InjectProducer,
  InjectQueue,
  LogBatchHandler,
  LogHandler,
  type MessageContext,
  MillraceModule,
  OnDeadLetter,
  QueueBatchHandler,
  QueueHandler,
} from '@millrace/nestjs';
import { Broker, type ConsumerInput } from '@millrace/queue';
import { RedisConnection } from '@millrace/redis';
import { type RedisServer, startRedis, stopEverything } from '@millrace/testing';
import { Injectable, type ModuleMetadata } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { connectionTo, createApplication } from './application.js';

class Order {
  total!: number;
}

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(stopEverything);

describe('a wrong option', () => {
  it('of the module is reported together with all others, with a guess at what was meant', () => {
    // given
    const options = { connection: { url: 'http://nowhere', prefiks: 'x' }, shutdownDeadlineMs: -1, waitForRedes: true };
    // when
    const wrong = (): unknown => MillraceModule.forRoot(options as never);
    // then
    const problems = problemsOf(wrong);
    expect(problems).toEqual([
      'unknown option waitForRedes (did you mean "waitForRedis"?)',
      'connection: unknown option prefiks (did you mean "prefix"?)',
      'connection: url must look like redis://host:6379',
      'shutdownDeadlineMs must be a whole number of at least 0, or Infinity, got -1',
    ]);
  });

  it('of a feature is refused together with all others', () => {
    // given
    const feature = { conection: 'audit', topic: [{ name: 'orders' }], queues: {}, exchanges: [undefined] };
    // when
    const problems = problemsOf(() => MillraceModule.forFeature(feature as never));
    // then
    expect([...problems].sort()).toEqual([
      'exchanges[0] is not a declaration',
      'queues must be a list',
      'unknown option conection (did you mean "connection"?)',
      'unknown option topic (did you mean "topics"?)',
    ]);
  });

  it('of a module with options from providers is refused together with all others', () => {
    // given
    const options = { useFactory: () => ({}), useClass: class {}, injct: [] };
    // when
    const problems = problemsOf(() => MillraceModule.forRootAsync(options as never));
    // then
    expect(problems).toEqual([
      'unknown option injct (did you mean "inject"?)',
      'exactly one of useFactory, useClass and useExisting must be given',
    ]);
  });

  it('of a module that is given none is what is missing', () => {
    // given
    const none = undefined as never;
    // when
    const ofRoot = problemsOf(() => MillraceModule.forRoot(none));
    const ofAsync = problemsOf(() => MillraceModule.forRootAsync(none));
    // then
    expect(ofRoot).toEqual(["connection must be an object: { url: 'redis://host:6379', prefix: 'my-app' }"]);
    expect(ofAsync).toEqual(['exactly one of useFactory, useClass and useExisting must be given']);
  });

  it('of a handler of dead letters stops the start, not the loading of its class', async () => {
    // given
    @Injectable()
    class Undertaker {
      @OnDeadLetter(undefined as never)
      one(): void {}

      @OnDeadLetter({ group: 'two' } as never)
      two(): void {}

      @OnDeadLetter({ queue: undefined } as never)
      three(): void {}

      @OnDeadLetter({ queue: { maxLength: 5 } } as never)
      four(): void {}

      @OnDeadLetter({ topic: { partitions: 5 }, group: 'five' } as never)
      five(): void {}
    }
    const application = await createApplication(connectionTo(redis), { providers: [Undertaker] });
    // when
    const error = await application.init().catch((reason: unknown) => reason);
    // then
    expect(error).toBeInstanceOf(OptionsError);
    expect([...(error as OptionsError).problems].sort()).toEqual([
      "Undertaker.five: topic must be a topic's name or definition, a list of them, or a RegExp",
      "Undertaker.four: queue must be a queue's name or definition",
      'Undertaker.one: its options must be an object, got undefined',
      "Undertaker.three: queue must be a queue's name or definition",
      "Undertaker.two: topic must be a topic's name or definition, a list of them, or a RegExp",
    ]);
    await application.close();
  });

  it('that only another kind of handler has, or of a wrong type, stops the start', async () => {
    // given
    @Injectable()
    class Misplaced {
      @QueueHandler({ queue: 'one', batch: { maxMessages: 3 } } as never)
      one(): void {}

      @QueueBatchHandler({ queue: 'two', pattern: 'order.*' } as never)
      two(): void {}

      @LogHandler({ topic: 'orders', group: 'three', batch: { maxRecords: 3 }, globalEnhancers: 'yes' } as never)
      three(): void {}

      @QueueHandler({ queue: 'four', retry: 5, name: 7 } as never)
      four(): void {}
    }
    const application = await createApplication(connectionTo(redis), { providers: [Misplaced] });
    // when
    const error = await application.init().catch((reason: unknown) => reason);
    // then
    expect(error).toBeInstanceOf(OptionsError);
    expect([...(error as OptionsError).problems].sort()).toEqual([
      'Misplaced.four: name must be a string that is not empty',
      'Misplaced.four: retry must be an object such as { maxRetries: 5 }, or false',
      'Misplaced.one: batch is for batch handlers: write @QueueBatchHandler',
      'Misplaced.three: batch is for batch handlers: write @LogBatchHandler',
      'Misplaced.three: globalEnhancers must be true or false',
      'Misplaced.two: pattern is not for batch handlers: choose among its messages in the handler',
    ]);
    await application.close();
  });

  it('of handlers stops the start with every problem of every handler', async () => {
    // given
    @Injectable()
    class Wrong {
      @LogHandler({ topic: 'orders', group: '' })
      first(): void {}

      @QueueHandler({ queue: 'emails', prefetsh: 3 } as never)
      second(): void {}

      @LogBatchHandler({ topic: 'orders', group: 'mail', when: () => false } as never)
      fourth(): void {}

      @QueueHandler({ queue: 'more', connection: 'defaul' })
      third(): void {}
    }
    const application = await createApplication(connectionTo(redis), { providers: [Wrong] });
    // when
    const start = application.init();
    // then
    const error = await start.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(OptionsError);
    expect((error as OptionsError).problems).toEqual([
      'Wrong.third: there is no connection "defaul" (did you mean "default"?)',
      'Wrong.first: group is missing: the name under which offsets are kept',
      'Wrong.fourth: when is not for batch handlers: choose among its records in the handler',
      'Wrong.second: unknown option prefetsh (did you mean "prefetch"?)',
    ]);
    await application.close();
  });

  it('is named also when the handler does not say what it consumes', async () => {
    // given
    @Injectable()
    class Wrong {
      @LogHandler({ topic: 'orders', group: '', concurency: 5, commitIntervalMs: -1 } as never)
      first(): void {}

      @QueueHandler({ queue: '', prefetsh: 3 } as never)
      second(): void {}

      @QueueHandler({ queue: 'emails', bind: 'events', concurrency: 0 } as never)
      third(): void {}
    }
    const application = await createApplication(connectionTo(redis), { providers: [Wrong] });
    // when
    const error = await application.init().catch((reason: unknown) => reason);
    // then
    expect((error as OptionsError).problems).toEqual([
      'Wrong.third: bind must be a list of { exchange, routingKey }',
      'Wrong.first: group is missing: the name under which offsets are kept',
      'Wrong.second: unknown option prefetsh (did you mean "prefetch"?)',
      'Wrong.second: queue name is empty',
      'Wrong.third: concurrency must be a whole number from 1 to 1000, got 0',
      'Wrong.first: unknown option concurency (did you mean "concurrency"?)',
      'Wrong.first: commitIntervalMs must be a whole number of at least 0, got -1',
    ]);
    await application.close();
  });
});

describe('a dependency that is not there', () => {
  const start = (metadata: ModuleMetadata) =>
    Test.createTestingModule(metadata)
      .setLogger(false as never)
      .compile()
      .catch(String);

  it('says what to import: a connection for forFeature', async () => {
    const { forFeature, forRoot } = MillraceModule;
    const queues = ['emails'];
    const audit = forRoot({ name: 'audit', ...connectionTo(redis) });
    expect(await start({ imports: [forFeature({ queues })] })).toMatch(
      /there is no connection: import MillraceModule.forRoot\({ connection: { url/,
    );
    expect(await start({ imports: [audit, forFeature({ queues })] })).toMatch(/there is no connection: import/);
    expect(await start({ imports: [forFeature({ queues, connection: 'adit' })] })).toMatch(
      /there is no connection "adit": import MillraceModule.forRoot\({ name: 'adit', connection/,
    );
  });

  it('says what to import: a queue, a topic or a connection that is injected', async () => {
    class Desk {}
    const inject = (decorator: ParameterDecorator) => {
      class Fresh extends Desk {}
      decorator(Fresh, undefined, 0);
      return start({ imports: [MillraceModule.forRoot(connectionTo(redis))], providers: [Fresh] });
    };
    const inThisModule = (what: string) => `(import MillraceModule.forFeature({ ${what} }) in this module)`;
    expect(await inject(InjectQueue('x'))).toContain(`queue "x" of Millrace ${inThisModule('queues: ["x"]')}`);
    expect(await inject(InjectProducer('x', 'audit'))).toContain(
      `Millrace's connection "audit" ${inThisModule('connection: "audit", topics: [{ name: "x" }]')}`,
    );
    expect(await inject(InjectMillrace('audit'))).toContain(
      'Millrace\'s connection "audit" (import MillraceModule.forRoot({ name: "audit", connection: { url } }) in the root module)',
    );
  });

  it('is not what is said when a connection fails', async () => {
    const connection = { url: 'redis://127.0.0.1:1', connectTimeoutMs: 100 };
    const imports = [MillraceModule.forFeature({ queues: ['emails'] }), MillraceModule.forRoot({ connection })];
    expect(await start({ imports })).toMatch(/UnavailableError: MillraceModule \(connection "default"\) cannot start/);
  });
});

describe('an option that another library has', () => {
  it('is answered with what to write here', () => {
    const queue = { bindings: [], attempts: 3, prefetchCount: 5, prefetsh: 5 };
    const kafka = { groupId: 'g', fromBeginning: true };
    const connection = new RedisConnection({ url: redis.url });
    const [broker, log] = [new Broker(connection), new Log(connection)];
    const consumer = () => broker.consumer({ queue: 'q', handler: () => undefined, ...queue } as ConsumerInput);
    const member = () => log.consumer({ group: 'g', topics: 't', handler: () => undefined, ...kafka } as never);
    const redisOptions = { host: 'localhost', url: 'redis://a', maxRetriesPerRequest: null };
    expect(problemsOf(consumer)).toEqual([
      'unknown option bindings: write bind: [{ exchange, routingKey }] in @QueueHandler, or broker.bind()',
      'unknown option attempts: write retry: { maxRetries: n }, which does not count the first attempt',
      'unknown option prefetchCount: write prefetch',
      'unknown option prefetsh (did you mean "prefetch"?)',
    ]);
    expect(problemsOf(member)).toEqual([
      'unknown option groupId: write group',
      "unknown option fromBeginning: write from: 'earliest', which is the default",
    ]);
    expect(problemsOf(() => MillraceModule.forRoot({ connection: redisOptions } as never))).toEqual([
      "connection: unknown option host: write url: 'redis://host:6379'",
      'connection: unknown option maxRetriesPerRequest: leave it out: Millrace sets it for each of its connections',
    ]);
    expect(problemsOf(() => MillraceModule.forFeature({ processors: [] } as never))).toEqual([
      'unknown option processors: write a class with @QueueHandler methods, in the providers of a module',
    ]);
  });
});

// test/nest/payloads-have-the-types-of-their-definitions.spec.ts checks that each of these is an error.
describe('an option that a handler does not have, or of a wrong type', () => {
  const orders = defineTopic({ name: 'orders', type: Order });
  const emails = defineQueue({ name: 'emails', type: Order });

  it('does not compile', () => {
    class Refused {
      // @ts-expect-error a rule returns true or false
      @LogHandler({ topic: 'orders', group: 'a', when: () => 'yes' })
      // @ts-expect-error a rule is synchronous
      @LogHandler({ topic: 'orders', group: 'a', when: async () => true })
      // @ts-expect-error a rule gets the context of a record
      @LogHandler({ topic: orders, group: 'a', when: (context: MessageContext) => context.isAborted })
      // @ts-expect-error unknown
      @LogHandler({ topic: 'orders', group: 'a', concurency: 5 })
      // @ts-expect-error an option of a consumer, of the wrong type
      @LogHandler({ topic: 'orders', group: 'a', commitIntervalMs: '5' })
      // @ts-expect-error for batches
      @LogHandler({ topic: orders, group: 'a', batch: { maxRecords: 5 } })
      // @ts-expect-error a group is missing
      @LogHandler({ topic: 'orders' })
      // @ts-expect-error a rule of a retry policy returns true or false
      @QueueHandler({ queue: 'emails', retry: { rules: [{ when: () => 1, do: 'drop' }] } })
      // @ts-expect-error unknown
      @QueueHandler({ queue: emails, prefetchCount: 5 })
      // @ts-expect-error unknown, also from a factory
      @QueueHandler({ useFactory: () => ({ queue: 'emails', prefetch: 'five' }) })
      onPayload(_payload: Order): void {}

      // @ts-expect-error not for batches
      @LogBatchHandler({ topic: 'orders', group: 'a', when: () => true })
      // @ts-expect-error not for batches
      @QueueBatchHandler({ queue: 'emails', pattern: '#' })
      // @ts-expect-error unknown
      @QueueBatchHandler({ queue: emails, batch: { maxRecords: 5 } })
      // @ts-expect-error an option of the other half
      @OnDeadLetter({ queue: 'emails', group: 'a' })
      onBatch(_batch: unknown): void {}
    }
    expect(Refused).toBeDefined();
  });

  it('of a batch is of the payload that its definition has', () => {
    class Handlers {
      @LogBatchHandler({ topic: orders, group: 'a' })
      onRecords(_batch: readonly BatchRecord<Order>[]): void {}

      @LogBatchHandler({ topic: orders, group: 'b' })
      onAnyRecords(_batch: BatchRecord[]): void {}

      @QueueBatchHandler({ queue: emails })
      onMessages(_batch: BatchMessage<Order>[]): void {}

      // @ts-expect-error another payload
      @LogBatchHandler({ topic: orders, group: 'c' })
      onNumbers(_batch: readonly BatchRecord<number>[]): void {}

      // @ts-expect-error another payload
      @QueueBatchHandler({ queue: emails })
      onTexts(_batch: readonly BatchMessage<string>[]): void {}

      // @ts-expect-error one record is no batch
      @LogBatchHandler({ topic: orders, group: 'd' })
      onOne(_order: Order): void {}
    }
    expect(Handlers).toBeDefined();
  });
});

function problemsOf(wrong: () => unknown): readonly string[] {
  try {
    wrong();
  } catch (error) {
    if (error instanceof OptionsError) return error.problems;
    throw error;
  }
  throw new Error('nothing was wrong');
}
