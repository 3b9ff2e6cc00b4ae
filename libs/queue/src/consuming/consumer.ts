import { setTimeout as pause } from 'node:timers/promises';
import { ClosedError, LeaseLostError } from '@millrace/core';
import { type HandlerLabels, Lifecycle, type Service, type StopOptions } from '@millrace/delivery';
import type { Handled } from '../model/handled.js';
import type { ConsumerKeys } from '../store/consumer-keys.js';
import type { Heartbeat } from '../store/heartbeat.js';
import { queueKeys } from '../store/keys.js';
import { writeProgress } from '../store/progress.js';
import type { Verdict } from '../store/settle.js';
import type { Taken } from '../store/turn.js';
import { ConsumerHandlers } from './consumer-handlers.js';
import { ConsumerHeart } from './consumer-heart.js';
import { ConsumerHold } from './consumer-hold.js';
import type { ConsumerHost, ConsumerStatus } from './consumer-host.js';
import { ConsumerMembership } from './consumer-membership.js';
import type { ConsumerOptions } from './consumer-options.js';
import { ConsumerReport } from './consumer-report.js';
import { ConsumerRunner } from './consumer-runner.js';
import { ConsumerSettling, type MessageSettlement } from './consumer-settling.js';
import { ConsumerTurns } from './consumer-turns.js';
import { ConsumerWake } from './consumer-wake.js';
import type { HeldMessage } from './held-message.js';
import { MessageCancelledError } from './message-cancelled.js';

const defaultStopDeadlineMs = 10_000;

/**
 * Takes messages from one queue and has them handled. Made by `broker.consumer(options)`. After any outage it comes back by
 * itself; when its lease was lost its handlers are told through their signals, and it registers anew.
 */
export class QueueConsumer implements Service {
  readonly options: ConsumerOptions;
  readonly #host: ConsumerHost;
  readonly #lifecycle = new Lifecycle();
  readonly #labels: HandlerLabels;
  readonly #turns: ConsumerTurns;
  readonly #hold: ConsumerHold;
  readonly #settling: ConsumerSettling;
  readonly #heart: ConsumerHeart;
  readonly #wake: ConsumerWake;
  readonly #membership: ConsumerMembership;
  #isPaused = false;

  constructor(host: ConsumerHost, options: ConsumerOptions) {
    this.#host = host;
    this.options = options;
    const { connection, events } = host;
    this.#labels = Object.freeze({ handler: options.name ?? options.queue, source: `queue:${options.queue}` });
    this.#membership = new ConsumerMembership(connection, options, this, () => this.#heart.introduce());
    this.#turns = new ConsumerTurns(connection, this, new ConsumerReport(events, this.#labels, this));
    this.#settling = new ConsumerSettling(this.#turns, host, options);
    const runner = new ConsumerRunner(options, new ConsumerHandlers(options, host.responder), host, this);
    this.#hold = new ConsumerHold(
      options,
      (unit) => runner.start(unit),
      () => this.#turns.nudge(),
    );
    this.#wake = new ConsumerWake(connection, queueKeys(connection.prefix, options.queue).wake, (wakeUp) =>
      this.#turns.woken(wakeUp),
    );
    this.#heart = new ConsumerHeart(connection, options, this);
  }

  get queue(): string {
    return this.options.queue;
  }

  get status(): ConsumerStatus {
    const state = this.#lifecycle.state;
    return {
      queue: this.queue,
      name: this.#labels.handler,
      state: state === 'running' && this.#isPaused ? 'paused' : state,
      turn: this.#turns.state,
      consumer: this.#membership.keys?.consumer,
      running: this.#hold.running,
      held: this.#hold.count,
    };
  }

  /**
   * @throws {TopologyNotFoundError} the queue is not declared
   * @throws {UnavailableError} Redis does not answer
   */
  start(): Promise<void> {
    return this.#lifecycle.start(async () => {
      const { connection } = this.#host;
      await connection.whenReady(connection.options.connectTimeoutMs);
      await this.#wake.begin(`${this.#labels.handler}:wake`, () => this.#heart.connectionChanged());
      await this.#membership.join();
      await this.#heart.begin();
    });
  }

  /**
   * Takes no more messages, lets handlers end, settles, gives back what never ran, and leaves. By the deadline (default
   * 10 s) it is over at the latest: handlers that still run are abandoned, and their messages go to other consumers.
   */
  stop({ deadlineMs = defaultStopDeadlineMs }: StopOptions = {}): Promise<void> {
    return this.#lifecycle.stop(() => this.#stop(performance.now() + deadlineMs, deadlineMs));
  }

  /** Takes no further messages until `resume`; what it holds is handled. For a whole queue: `broker.queue(name).pause()`. */
  pause(): void {
    this.#isPaused = true;
    this.#hold.isOpen = false;
  }

  resume(): void {
    this.#isPaused = false;
    if (!this.#lifecycle.isStopping) this.#hold.isOpen = true;
  }

  async #stop(until: number, deadlineMs: number): Promise<void> {
    const left = (): number => Math.max(0, until - performance.now());
    this.#membership.close();
    this.#hold.end();
    this.#wake.end();
    this.#giveBack(this.#hold.takeWaiting());
    // Some of the time is kept for telling Redis.
    if (!(await this.#hold.drained(left() - Math.min(1000, deadlineMs / 4)))) {
      const reason = new ClosedError(`the consumer of queue "${this.queue}"`);
      for (const held of this.#hold.all()) held.abandon(reason);
    }
    await this.#turns.flush(left());
    this.#turns.end();
    await Promise.race([this.#leave(), pause(left(), undefined, { ref: false })]);
    await Promise.race([this.#heart.end(), pause(left(), undefined, { ref: false })]);
    this.#host.stopped(this);
  }

  async #leave(): Promise<void> {
    try {
      await this.#membership.leave();
      if (this.#membership.settings?.autoDelete === true) await this.#host.consumerLeft(this.queue);
    } catch (error) {
      this.failed(error);
    }
  }

  #giveBack(messages: readonly HeldMessage[]): void {
    // Each goes to the head: the first one last, so that it is the first again.
    for (const held of messages.toReversed()) this.#settling.settle(held, { kind: 'release' }, this.#labels);
  }

  // What its parts tell it.

  wanted(): number {
    return this.#hold.wanted();
  }

  readonly maxBytes = (): number | undefined => this.#hold.maxBytes;

  take(messages: readonly Taken[]): void {
    this.#turns.report.delivered(messages);
    // A turn that ended after the stop began: what it brought goes back, the first one last.
    if (this.#lifecycle.isStopping) for (const message of messages.toReversed()) this.#refuse(message);
    else this.#hold.add(messages);
  }

  offer(message: Taken): void {
    if (this.#hold.wanted() > 0) this.take([message]);
    else this.#refuse(message);
  }

  #refuse({ id, frame }: Taken): void {
    this.#turns.judge({ kind: 'release', id, priority: frame[1] ?? 0 });
  }

  turnEnded(): void {
    const { isHungry, state } = this.#turns;
    if (isHungry || state !== 'ok') this.#wake.wait(state === 'passed' ? 5 : 0);
  }

  holds(id: string): boolean {
    return this.#hold.has(id);
  }

  settle(held: HeldMessage, settlement: MessageSettlement, labels: HandlerLabels, handled?: Handled): void {
    // A lease that was lost took the message with it.
    if (this.#hold.remove(held)) this.#settling.settle(held, settlement, labels, handled);
  }

  park(held: HeldMessage): void {
    if (this.#hold.remove(held)) this.#turns.judge({ kind: 'park', id: held.id });
  }

  unitEnded(messages: number, tookMs: number): void {
    this.#hold.unitEnded(messages, tookMs);
  }

  settled(verdicts: readonly Verdict[]): void {
    if (verdicts.some(({ kind }) => kind === 'dead')) this.#host.carryDeadLetters(this.queue);
  }

  lostMessages(ids: readonly string[]): void {
    this.#host.events.emit('lease-lost', { source: this.#labels.source });
    const reason = new LeaseLostError(`messages ${ids.slice(0, 5).join(', ')} of queue "${this.queue}" are not ours.`);
    for (const held of this.#hold.forget(ids)) held.abandon(reason);
    this.failed(reason);
  }

  lostLease(): void {
    if (!this.#membership.lost()) return;
    this.#turns.suspend();
    const reason = new LeaseLostError(`the lease on messages of queue "${this.queue}" is lost. Stop working on them.`);
    for (const held of this.#hold.clear()) held.abandon(reason);
    this.#host.events.emit('lease-lost', { source: this.#labels.source });
    void this.#membership.rejoin();
  }

  readonly keys = (): ConsumerKeys | undefined => this.#membership.keys;

  joined(keys: ConsumerKeys): void {
    this.#turns.begin(keys);
    this.#heart.now();
  }

  describe(connections: readonly number[], server: string): string {
    return JSON.stringify(this.#membership.about(connections, server));
  }

  isWaiting(): boolean {
    return this.#turns.isHungry && this.#hold.isOpen;
  }

  wakeClient(): ConsumerWake['client'] {
    return this.#wake.client;
  }

  beaten({ hasWork, cancelled, duty }: Heartbeat): void {
    for (const id of cancelled) {
      const waiting = this.#hold.cancel(id, new MessageCancelledError(this.queue, id));
      if (waiting !== undefined) this.#settling.settle(waiting, { kind: 'drop', reason: 'cancelled' }, this.#labels);
    }
    this.#giveBack(this.#hold.takeStale(performance.now()));
    if (hasWork) this.#turns.woken({ consumer: this.#membership.keys?.consumer ?? '', handed: undefined, handedAt: 0 });
    if (duty !== undefined && duty.dying > 0) this.#host.carryDeadLetters(this.queue);
  }

  failed(error: unknown): void {
    this.#host.events.emit('background-error', { duty: `consumer of queue ${this.queue}`, error });
  }

  async reportProgress(id: string, progress: unknown): Promise<boolean> {
    const keys = this.#membership.keys;
    if (keys === undefined || !this.#hold.has(id)) return false;
    return writeProgress(this.#host.connection.commands, keys, id, JSON.stringify(progress) ?? 'null');
  }
}
