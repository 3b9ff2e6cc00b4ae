import { ClosedError, endsWithin } from '@millrace/core';
import {
  type HandlerLabels,
  Lifecycle,
  PauseWait,
  type Service,
  type StopOptions,
  waitOutsideHandlers,
} from '@millrace/delivery';
import { BufferShares } from '../handling/buffer-shares.js';
import { HandlerSet } from '../handling/handler-set.js';
import type { HeldMessage } from '../handling/held-message.js';
import { MessageBuffer } from '../handling/message-buffer.js';
import { MessageRunner } from '../handling/message-runner.js';
import type { MessageSettlement } from '../handling/settler.js';
import type { Handled } from '../model/handled.js';
import type { ConsumerContext, ConsumerStatus } from './consumer-context.js';
import type { ConsumerOptions } from './consumer-options.js';
import { ConsumerReport } from './consumer-report.js';
import type { ConsumerShard, ShardOwner } from './consumer-shard.js';
import { ConsumerShards } from './consumer-shards.js';

const defaultStopDeadlineMs = 10_000;

/**
 * Takes messages from one queue and has them handled. Made by `broker.consumer(options)`. After any outage it comes back by
 * itself; when its lease was lost the signals of its handlers are aborted, and it registers again. At a sharded queue it
 * has a part for each slot; all of them fill the same hold.
 */
export class QueueConsumer implements Service, ShardOwner {
  /** As they were resolved: defaults are in them. */
  readonly options: ConsumerOptions;
  /** Of the implementation: the broker's connection, events and codecs. */
  readonly host: ConsumerContext;
  /** What names its handler in events and metrics. */
  readonly labels: HandlerLabels;
  /** Of the implementation: the messages it holds, over all its parts. */
  readonly hold: MessageBuffer;
  /** Of the implementation: shares what may be held among its parts. */
  readonly room: BufferShares;
  /** Of the implementation: emits what it does. */
  readonly report: ConsumerReport;
  readonly #lifecycle = new Lifecycle();
  readonly #parts: ConsumerShards;
  #isPaused = false;
  readonly #pauseWait = new PauseWait();

  constructor(host: ConsumerContext, options: ConsumerOptions) {
    this.host = host;
    this.options = options;
    this.labels = Object.freeze({ handler: options.name ?? options.queue, source: `queue:${options.queue}` });
    this.report = new ConsumerReport(host.events, this.labels, this);
    const runner = new MessageRunner(options, new HandlerSet(options, host), host, this);
    this.hold = new MessageBuffer(options, runner, {
      askForMore: () => this.#nudge(),
      isQuiet: () => this.#parts.all.every(({ turns }) => turns.isQuiet),
      giveBack: (messages) => this.#giveBack(messages),
    });
    this.room = new BufferShares((reserved) => this.hold.wanted(reserved));
    this.#parts = new ConsumerShards(this, options.queue);
  }

  /** The queue it consumes from. */
  get queue(): string {
    return this.options.queue;
  }

  /** What it does at the moment. */
  get status(): ConsumerStatus {
    const { state } = this.#lifecycle;
    const turns = this.#parts.all.map((part) => part.turns.state);
    return {
      queue: this.queue,
      name: this.labels.handler,
      state: state === 'running' && this.#isPaused ? 'paused' : state,
      turn: turns.includes('ok') ? 'ok' : (turns[0] ?? 'ok'),
      consumer: this.#parts.all[0]?.session.keys?.consumer,
      running: this.hold.running,
      held: this.hold.count,
    };
  }

  /**
   * Joins the queue and begins to take messages. What it holds after an outage comes back by itself.
   *
   * @throws {TopologyNotFoundError} the queue is not declared
   * @throws {UnavailableError} Redis does not answer
   */
  start(): Promise<void> {
    return this.#lifecycle.start(async () => {
      const { connection } = this.host;
      await connection.whenReady(connection.options.connectTimeoutMs);
      await this.#parts.start();
    });
  }

  /**
   * Takes no more messages, lets handlers end, settles, gives back what never ran, and leaves. By the deadline (default
   * 10 s) it is over at the latest: handlers that still run are abandoned, and their messages go to other consumers. Inside a
   * handler it is not waited for: it lets that handler end too.
   */
  stop({ deadlineMs = defaultStopDeadlineMs }: StopOptions = {}): Promise<void> {
    const stopping = this.#lifecycle.stop(() => this.#stop(performance.now() + deadlineMs, deadlineMs));
    return waitOutsideHandlers(stopping, (error) => this.failed(error));
  }

  /**
   * Takes no further messages until `resume`; what it holds is handled. Resolves when that has ended, or the consumer is resumed
   * or stopped before; inside a handler immediately. For a whole queue: `broker.queue(name).pause()`.
   */
  pause(): Promise<void> {
    this.#isPaused = true;
    this.hold.isOpen = false;
    return waitOutsideHandlers(this.#pauseWait.until(this.#still()), (error) => this.failed(error));
  }

  /** Takes messages again after `pause`. */
  resume(): void {
    this.#isPaused = false;
    this.#pauseWait.end();
    if (!this.#lifecycle.isStopping) this.hold.isOpen = true;
  }

  /** Resolves when nothing runs, and no turn is under way that may bring more. */
  async #still(): Promise<void> {
    await Promise.all(this.#parts.all.map(({ turns }) => turns.idle()));
    // A batch waits for no more messages: none will come.
    this.hold.begin();
    while (this.hold.running > 0) await this.hold.drained(Number.POSITIVE_INFINITY);
  }

  async #stop(until: number, deadlineMs: number): Promise<void> {
    const left = (): number => Math.max(0, until - performance.now());
    this.hold.end();
    this.#parts.close();
    this.#giveBack(this.hold.takeWaiting());
    // Some of the time is kept for telling Redis.
    if (!(await this.hold.drained(left() - Math.min(1000, deadlineMs / 4)))) {
      const reason = new ClosedError(`the consumer of queue "${this.queue}"`);
      for (const held of this.hold.all()) held.abandon(reason);
    }
    await endsWithin(this.#parts.arrived(), left(), { ref: false });
    await Promise.all(this.#parts.all.map((part) => part.leave(left)));
    const isAutoDelete = this.#parts.all.some(({ session }) => session.settings?.autoDelete === true);
    if (isAutoDelete) {
      const gone = this.host.consumerLeft(this.queue).catch((error: unknown) => this.failed(error));
      await endsWithin(gone, left(), { ref: false });
    }
    this.#pauseWait.end();
    this.host.stopped(this);
  }

  #giveBack(messages: readonly HeldMessage[]): void {
    // Each goes to the head: the first one last, so that it is the first again.
    for (const held of messages.toReversed()) {
      this.#parts.at(held.origin.index)?.settling.settle(held, { kind: 'release' }, this.labels);
    }
  }

  // What its parts call.

  /** Its queue may be elsewhere: resolves to whether it was, and the consumer has followed it. */
  async follow(): Promise<boolean> {
    return this.#parts.follow();
  }

  /** A message of a part is settled as its handler's outcome says. */
  settle(held: HeldMessage, settlement: MessageSettlement, labels: HandlerLabels, handled?: Handled): void {
    // A lease that was lost took the message with it.
    if (this.hold.remove(held)) this.#parts.at(held.origin.index)?.settling.settle(held, settlement, labels, handled);
    if (this.#parts.all.length > 1) this.#nudgeOthers(held.origin.index);
  }

  /** A part's message is set aside, because no handler is for it. */
  park(held: HeldMessage): void {
    if (this.hold.remove(held)) this.#parts.at(held.origin.index)?.turns.judge({ kind: 'park', id: held.id });
  }

  /** A handler ended, which took `tookMs` for these messages. */
  unitEnded(messages: number, tookMs: number): void {
    this.hold.unitEnded(messages, tookMs);
  }

  giveBackStale(): void {
    this.#giveBack(this.hold.takeStale(performance.now()));
  }

  shardServed(part: ConsumerShard): void {
    // A part that may have more goes on by itself, unless what is left is for others: one of them may not know that there is room.
    const isOthersTurn = part.wanted() === 0 && this.room.isLeft;
    if (!part.turns.isEager || isOthersTurn) this.#nudgeOthers(part.index);
  }

  /** Reports a failure in the background. */
  failed(error: unknown): void {
    this.host.events.emit('background-error', { duty: `consumer of queue ${this.queue}`, error });
  }

  #nudge(): void {
    for (const { turns } of this.#parts.all) turns.nudge();
  }

  /** There is room again: for those of whom there may be more. */
  #nudgeOthers(index: number): void {
    for (const part of this.#parts.all) if (part.index !== index && part.turns.isEager) part.turns.nudge();
  }
}
