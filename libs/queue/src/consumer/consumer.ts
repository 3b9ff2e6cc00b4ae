import { ClosedError, endsWithin } from '@millrace/core';
import {
  type HandlerLabels,
  Lifecycle,
  PauseWait,
  type Service,
  type StopOptions,
  waitOutsideHandlers,
} from '@millrace/delivery';
import { reach } from '@millrace/redis';
import { BufferShares } from '../handling/buffer-shares.js';
import { Dispatcher } from '../handling/dispatcher.js';
import { MessageBuffer } from '../handling/message-buffer.js';
import { MessageRunner } from '../handling/message-runner.js';
import { Settler } from '../handling/settler.js';
import type { ConsumerContext } from './consumer-context.js';
import type { ConsumerOptions } from './consumer-options.js';
import { ConsumerReport } from './consumer-report.js';
import { ConsumerShards } from './consumer-shards.js';
import type { ConsumerStatus } from './consumer-status.js';

const defaultStopDeadlineMs = 10_000;

/**
 * Takes messages from one queue and has them handled. Created by `broker.consumer(options)`. It recovers from any outage by
 * itself; when its lease is lost, the signals of its handlers are aborted, and it registers again. At a sharded queue it
 * consumes from every shard, and holds the messages of all of them in one buffer.
 */
export class QueueConsumer implements Service {
  /** The resolved options, with defaults. */
  readonly options: ConsumerOptions;
  /** Identifies its handler in events and metrics. */
  readonly labels: HandlerLabels;
  readonly #host: ConsumerContext;
  readonly #lifecycle = new Lifecycle();
  readonly #buffer: MessageBuffer;
  readonly #settler: Settler;
  readonly #dispatcher: Dispatcher;
  readonly #shards: ConsumerShards;
  #isPaused = false;
  readonly #pauseWait = new PauseWait();

  constructor(host: ConsumerContext, options: ConsumerOptions) {
    this.#host = host;
    this.options = options;
    this.labels = Object.freeze({ handler: options.name ?? options.queue, source: `queue:${options.queue}` });
    const { connection, codecs, events, responder } = host;
    const { labels } = this;
    const failed = (error: unknown): void => this.#failed(error);
    const handling = { connection, codecs, events, responder, labels, failed };
    const buffer = new MessageBuffer(options, () => this.#shards.nudge());
    const settler = new Settler(options, handling, buffer, {
      settled: ({ index }) => this.#shards.nudgeOthers(index),
    });
    const dispatcher = new Dispatcher(
      options,
      buffer,
      (listener) => new MessageRunner(options, handling, settler, listener),
      {
        isQuiet: () => this.#shards.all.every(({ turns }) => turns.isQuiet),
        giveBack: (messages) => settler.giveBack(messages),
      },
    );
    const shares = new BufferShares((reserved) => buffer.wanted(reserved));
    const report = new ConsumerReport(events, labels, this);
    const context = { host, options, labels, buffer, dispatcher, settler, shares, report };
    this.#buffer = buffer;
    this.#settler = settler;
    this.#dispatcher = dispatcher;
    this.#shards = new ConsumerShards(context, failed);
  }

  /** The queue it consumes from. */
  get queue(): string {
    return this.options.queue;
  }

  /** Its present state. */
  get status(): ConsumerStatus {
    const { state } = this.#lifecycle;
    const turns = this.#shards.all.map((shard) => shard.turns.outlook.state);
    return {
      queue: this.queue,
      name: this.labels.handler,
      state: state === 'running' && this.#isPaused ? 'paused' : state,
      turn: turns.includes('ok') ? 'ok' : (turns[0] ?? 'ok'),
      consumer: this.#shards.all[0]?.session.keys?.consumer,
      running: this.#dispatcher.running,
      held: this.#buffer.count,
    };
  }

  /**
   * Joins the queue and starts to take messages. It recovers from outages by itself.
   *
   * @throws {TopologyNotFoundError} the queue is not declared
   * @throws {UnavailableError} Redis does not reply
   */
  start(): Promise<void> {
    const { connection } = this.#host;
    const to = { what: `start a consumer of queue "${this.queue}"`, timeoutMs: connection.options.connectTimeoutMs };
    return this.#lifecycle.start(() => reach(connection, to, () => this.#shards.start()));
  }

  /**
   * Takes no more messages, lets handlers end, settles, gives back what never ran, and leaves. At the deadline (default
   * 10 s) the handlers that still run are abandoned, and their messages go to other consumers. Inside a
   * handler, stop does not wait for that handler to end.
   */
  stop({ deadlineMs = defaultStopDeadlineMs }: StopOptions = {}): Promise<void> {
    const stopping = this.#lifecycle.stop(() => this.#stop(performance.now() + deadlineMs, deadlineMs));
    return waitOutsideHandlers(stopping, (error) => this.#failed(error));
  }

  /**
   * Takes no further messages until `resume`; what it holds is handled. Resolves when that has ended, or on a resume
   * or stop before that; inside a handler immediately. For a whole queue: `broker.queue(name).pause()`.
   */
  pause(): Promise<void> {
    this.#isPaused = true;
    this.#buffer.isOpen = false;
    return waitOutsideHandlers(this.#pauseWait.until(this.#still()), (error) => this.#failed(error));
  }

  /** Takes messages again after `pause`. */
  resume(): void {
    this.#isPaused = false;
    this.#pauseWait.end();
    if (!this.#lifecycle.isStopping) this.#buffer.isOpen = true;
  }

  /** Resolves when nothing runs, and no turn is under way that may bring more. */
  async #still(): Promise<void> {
    await Promise.all(this.#shards.all.map(({ turns }) => turns.idle()));
    // An incomplete batch stops waiting: no more messages will come.
    this.#dispatcher.begin();
    while (this.#dispatcher.running > 0) await this.#dispatcher.drained(Number.POSITIVE_INFINITY);
  }

  /** Gives back what never ran, together with what a turn under way still brings, which must not end up before it. */
  async #giveBackWaiting(left: () => number): Promise<void> {
    const idle = Promise.all(this.#shards.all.map(({ turns }) => turns.idle()));
    await endsWithin(idle, left(), { ref: false });
    this.#settler.giveBack(this.#buffer.takeWaiting());
  }

  async #stop(until: number, deadlineMs: number): Promise<void> {
    const left = (): number => Math.max(0, until - performance.now());
    this.#buffer.end();
    this.#dispatcher.end();
    this.#shards.close();
    const givenBack = this.#giveBackWaiting(left);
    // Some of the time is reserved for the calls to Redis.
    if (!(await this.#dispatcher.drained(left() - Math.min(1000, deadlineMs / 4)))) {
      const reason = new ClosedError(`the consumer of queue "${this.queue}"`);
      for (const held of this.#buffer.all()) held.abandon(reason);
    }
    await givenBack;
    await endsWithin(this.#shards.arrived(), left(), { ref: false });
    const shards = this.#shards.all;
    await Promise.all(shards.map((shard) => shard.leave(left)));
    if (shards.some(({ session }) => session.settings?.autoDelete === true)) {
      const gone = this.#host.consumerLeft(this.queue).catch((error: unknown) => this.#failed(error));
      await endsWithin(gone, left(), { ref: false });
    }
    this.#pauseWait.end();
    this.#host.stopped(this);
  }

  /** Reports an error in the background. */
  #failed(error: unknown): void {
    this.#host.events.emit('background-error', { duty: `consumer of queue ${this.queue}`, error });
  }
}
