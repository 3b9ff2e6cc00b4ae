import { lagOf, Overview, type QueueSnapshot, type Snapshot } from '@millrace/admin';
import { Consumers, type Millrace } from '@millrace/nestjs';
import type { INestApplication } from '@nestjs/common';
import type { TestingModuleBuilder } from '@nestjs/testing';
import type { RedisServer } from '../redis-server.js';
import { startRedis } from '../start-redis.js';
import { type WaitOptions, waitFor } from '../wait-for.js';
import { HarnessMillrace } from './harness-millrace.js';
import { Journal } from './journal.js';
import { overrideConnections } from './override-connections.js';

/** An application on its own Redis, with a journal of the messages that it published and handled. */
export class RedisHarness {
  /** The running application, including its consumers. */
  readonly application: INestApplication;
  /** The messages published and handled in it. */
  readonly journal: Journal;
  /** The server that it uses. */
  readonly redis: RedisServer;
  readonly #millraces: readonly { readonly millrace: Millrace; readonly overview: Overview }[];

  private constructor(
    application: INestApplication,
    journal: Journal,
    redis: RedisServer,
    millraces: readonly Millrace[],
  ) {
    this.application = application;
    this.journal = journal;
    this.redis = redis;
    this.#millraces = millraces.map((millrace) => ({ millrace, overview: new Overview(millrace.connection) }));
    for (const { events } of millraces) {
      events.on('handled', ({ handler, outcome, attempt }) => journal.handled.push({ handler, outcome, attempt }));
      events.on('dead-lettered', ({ handler, reason, error }) => journal.deadLetters.push({ handler, reason, error }));
    }
  }

  /** Starts a Redis, and the application of a testing module with its connections (given by name) to that Redis. */
  static async start(
    builder: TestingModuleBuilder,
    connections: readonly string[] = ['default'],
  ): Promise<RedisHarness> {
    const redis = await startRedis();
    const journal = new Journal();
    const millraces: Millrace[] = [];
    overrideConnections(builder, connections, (name, options) => {
      const { prefix, allowEviction } = options.connection;
      const connection = { url: redis.url, ...defined({ prefix, allowEviction }) };
      // The harness runs the application without its HTTP server: consumers that wait for it would never start.
      const startConsumers = options.startConsumers === 'listening' ? 'ready' : options.startConsumers;
      // Its Redis is up: consumers run when the application has started.
      const own = { ...options, connection, startConsumers, waitForRedis: false } as const;
      const millrace = new HarnessMillrace(name, own, journal, { isOffline: false });
      millraces.push(millrace);
      return millrace;
    });
    try {
      const module = await builder.compile();
      const application = module.createNestApplication({ logger: false });
      await application.init();
      return new RedisHarness(application, journal, redis, millraces);
    } catch (error) {
      // The caller does not get the application, so its connections must be closed here: they keep the process alive.
      await Promise.allSettled(millraces.map((millrace) => millrace.close()));
      await redis.stop();
      throw error;
    }
  }

  /**
   * Waits until all messages are handled: queues with a handler hold no messages that are ready or in flight, and groups have read and
   * committed everything. It does not wait for delayed messages and retries of queues, nor for queues without a handler, such as those of
   * dead letters.
   *
   * @throws {Error} none of the application's handlers runs, so no message would ever be handled
   */
  async waitUntilIdle(options: Partial<WaitOptions> = {}): Promise<void> {
    const { all } = this.application.get(Consumers);
    if (all.length > 0 && all.every(({ isRunning }) => !isRunning)) {
      const handlers = all.map(({ label }) => label).join(', ');
      throw new Error(`no handler runs (${handlers}). Start them: await harness.application.get(Consumers).start().`);
    }
    let looks = 0;
    // Idle twice in a row: a handler may just have published another message.
    const isIdle = async (): Promise<boolean> => {
      const idle = await Promise.all(
        this.#millraces.map(async ({ millrace, overview }) => {
          const handled = new Set(all.filter((handle) => handle.millrace === millrace).map(({ queue }) => queue));
          return hasNothingToDo(await overview.read(), handled);
        }),
      );
      looks = idle.every(Boolean) ? looks + 1 : 0;
      return looks >= 2;
    };
    await waitFor(isIdle, { what: 'the application to be idle', ...options });
  }

  /** Ends the application, then its Redis. */
  async stop(): Promise<void> {
    await this.application.close();
    await this.redis.stop();
  }
}

/** `handled`: the queues with a handler of the application. Others may have consumers too, such as those of a transport. */
function hasNothingToDo({ queues, topics }: Snapshot, handled: ReadonlySet<string | undefined>): boolean {
  const awaited = ({ queue, consumers, ready }: QueueSnapshot) => (handled.has(queue) || consumers > 0 ? ready : 0);
  const isDone = queues.every((queue) => awaited(queue) + queue.unacked + queue.dying === 0);
  return (
    isDone &&
    topics.every(({ partitions }) =>
      partitions.every((partition) => partition.groups.every((offset) => lagOf(partition, offset) === 0)),
    )
  );
}

function defined<T extends object>(options: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}
