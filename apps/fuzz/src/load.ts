import { MillraceError } from '@millrace/core';
import { Log } from '@millrace/log';
import { Broker } from '@millrace/queue';
import type { RedisConnection } from '@millrace/redis';

/** Each way from a sender to a handler. */
export const flows = ['log', 'queue', 'sharded', 'exchange', 'request'] as const;
export type Flow = (typeof flows)[number];

export interface LoadListener {
  handled(flow: Flow, value: number): void;
  clear(error: MillraceError): void;
  unclear(during: string, error: unknown): void;
}

/** Everything that reads our keys, at a gentle rate: producers, consumers, requests, and an operator who looks. */
export class Load {
  readonly #log: Log;
  readonly #broker: Broker;
  readonly #connection: RedisConnection;
  readonly #listener: LoadListener;
  #value = 0;

  constructor(connection: RedisConnection, listener: LoadListener) {
    this.#connection = connection;
    this.#listener = listener;
    this.#log = new Log(connection, { retentionIntervalMs: 500 });
    this.#broker = new Broker(connection, { deliveryTimeoutMs: 2000 });
    for (const { events } of [this.#log, this.#broker]) {
      events.on('background-error', ({ duty, error }) => this.#look(duty, error));
    }
  }

  /** Declares everything, as an application does at its start. */
  async declare(): Promise<void> {
    const queues = [
      { name: 'q', priorities: 2, maxBytes: 50_000_000, keepCompleted: { count: 100 } },
      { name: 's', shards: 2 },
      { name: 'r' },
    ];
    await this.#try('declare', async () => {
      await this.#broker.declare({ queues, exchanges: [{ name: 'x', type: 'topic' }] });
      await this.#broker.declare({ bindings: [{ exchange: 'x', queue: 'q', routingKey: '#' }] });
      await this.#log.declareTopic({
        name: 't',
        partitions: 2,
        compression: 'zlib',
        retention: { maxRecords: 10_000 },
      });
    });
  }

  async start(): Promise<void> {
    const told = (flow: Flow) => (value: unknown) => {
      const { flow: sentBy = flow, n = -1 } =
        typeof value === 'object' && value !== null ? (value as Partial<Sent>) : {};
      this.#listener.handled(sentBy, n);
      return value;
    };
    const often = { retry: { maxRetries: 1, backoff: 10 }, leaseMs: 2000 } as const;
    await this.#broker.consumer({ queue: 'q', ...often, keepResultMs: 1000, handler: told('queue') }).start();
    await this.#broker.consumer({ queue: 's', ...often, handler: told('sharded') }).start();
    await this.#broker.consumer({ queue: 'r', ...often, handler: told('request') }).start();
    await this.#log
      .consumer({ group: 'g', topics: 't', heartbeatMs: 200, leaseMs: 2000, retry: false, handler: told('log') })
      .start();
  }

  /** One message on each way. */
  async send(): Promise<void> {
    const n = this.#value++;
    this.#producer ??= this.#log.producer({ deliveryTimeoutMs: 2000 });
    const producer = this.#producer;
    const ways: Record<Flow, () => Promise<unknown>> = {
      log: () => producer.send({ topic: 't', key: `k${n % 5}`, value: { flow: 'log', n } }),
      queue: () => this.#broker.sendToQueue('q', { flow: 'queue', n }, { messageId: `m${n}`, priority: n % 2 }),
      sharded: () => this.#broker.sendToQueue('s', { flow: 'sharded', n }, { delayMs: n % 3 }),
      exchange: () => this.#broker.publish('x', 'a.b', { flow: 'exchange', n }),
      request: () => this.#broker.request('', 'r', { flow: 'request', n }, { timeoutMs: 2000 }),
    };
    await Promise.all(Object.entries(ways).map(([flow, way]) => this.#try(`send ${flow}`, way)));
  }
  #producer: ReturnType<Log['producer']> | undefined;

  /** Everything once more, as another process that starts now, and goes again. */
  async come(): Promise<void> {
    const [log, broker] = [new Log(this.#connection), new Broker(this.#connection, { deliveryTimeoutMs: 1000 })];
    const handler = () => undefined;
    const begin: Record<string, () => Promise<unknown>> = {
      'start at q': () => broker.consumer({ queue: 'q', handler }).start(),
      'start at s': () => broker.consumer({ queue: 's', handler }).start(),
      'start in g': () => log.consumer({ group: 'g', topics: 't', leaseMs: 2000, heartbeatMs: 200, handler }).start(),
      'first publish': () => broker.publish('x', 'first', {}),
      'first send': () => log.producer({ deliveryTimeoutMs: 1000 }).send({ topic: 't', value: {} }),
    };
    await Promise.all(Object.entries(begin).map(([what, act]) => this.#try(what, act)));
    await this.#try('leave', () => Promise.all([log.close({ deadlineMs: 500 }), broker.close({ deadlineMs: 500 })]));
  }

  /** What an operator asks. */
  async look(): Promise<void> {
    const queue = this.#broker.queue('q');
    const looks: Record<string, () => Promise<unknown>> = {
      counts: () => queue.counts(),
      ready: () => queue.ready({ limit: 5 }),
      delayed: () => queue.delayed({ limit: 5 }),
      parked: () => queue.parked({ limit: 5 }),
      completed: () => queue.completed({ limit: 5 }),
      message: () => queue.message(`m${this.#value - 1}`),
      'dead letters': () => queue.deadLetters.list({ limit: 5 }),
      'describe topic': () => this.#log.describeTopic('t'),
      lag: () => this.#log.groups.lag('g'),
      'list topics': () => this.#log.listTopics(),
      groups: () => this.#log.groups.list(),
    };
    await Promise.all(Object.entries(looks).map(([what, look]) => this.#try(what, look)));
  }

  async stop(): Promise<void> {
    await Promise.all([this.#log.close({ deadlineMs: 2000 }), this.#broker.close({ deadlineMs: 2000 })]);
  }

  async #try(during: string, act: () => Promise<unknown>): Promise<void> {
    await act().catch((error: unknown) => this.#look(during, error));
  }

  #look(during: string, error: unknown): void {
    if (error instanceof MillraceError) this.#listener.clear(error);
    else this.#listener.unclear(during, error);
  }
}

interface Sent {
  readonly flow: Flow;
  readonly n: number;
}
