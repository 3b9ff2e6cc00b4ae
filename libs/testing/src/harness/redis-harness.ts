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

/** An application on a Redis of its own, with a journal of what it published and handled. */
export class RedisHarness {
  /** Running, its consumers too. */
  readonly application: INestApplication;
  /** What was published and handled in it. */
  readonly journal: Journal;
  /** The server it was started on. */
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

  /** Starts a Redis, and the application of a testing module with its connections (by their names) led there. */
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
      // The harness runs the application without its HTTP server: consumers that waited for it would never start.
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
      // The application was not handed over: nothing else closes its connections, and they keep the process alive.
      await Promise.allSettled(millraces.map((millrace) => millrace.close()));
      await redis.stop();
      throw error;
    }
  }

  /**
   * Waits until nothing is left to be handled: queues that a handler consumes from hold nothing that is ready or being handled,
   * and groups have read and committed everything. What waits for its time (delays, retries of queues) is not waited for, nor what
   * stands in a queue without a handler, as dead letters do.
   *
   * @throws {Error} none of the application's handlers runs: nothing would ever be handled
   */
  async waitUntilIdle(options: Partial<WaitOptions> = {}): Promise<void> {
    const { all } = this.application.get(Consumers);
    if (all.length > 0 && all.every(({ isRunning }) => !isRunning)) {
      const handlers = all.map(({ label }) => label).join(', ');
      throw new Error(`no handler runs (${handlers}). Start them: await harness.application.get(Consumers).start().`);
    }
    let looks = 0;
    // Twice in a row: a handler may just have published something else.
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

/** `handled`: the queues that the application has a handler for. Others may be consumed from too, by a transport say. */
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
