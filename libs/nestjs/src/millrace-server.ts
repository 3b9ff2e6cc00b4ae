import { notify } from '@millrace/core';
import { type DeliveryContext, isGenerator, runToEnd } from '@millrace/delivery';
import { type CustomTransportStrategy, type MessageHandler, Server } from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';
import { finalize } from 'rxjs/operators';
import { ConsumerHandle } from './consumer-handle.js';
import { declareConsumers } from './declare-topology.js';
import { unwrap as unwrapEnvelope } from './envelope.js';
import { type EventPatternHandler, planEvents } from './event-plans.js';
import type { Millrace } from './millrace.js';
import { keepOriginalErrorsOfEvents } from './original-errors.js';
import { RequestDesk } from './request-desk.js';
import { MillraceContext } from './rpc-context.js';
import { claimSource, releaseSource, rivalOf } from './source-overlap.js';
import { throwProblems } from './topology.js';
import { TransportLink } from './transport-link.js';
import { type MillraceServerInput, type MillraceServerOptions, resolveServerOptions } from './transport-options.js';
import type { TransportEvents, TransportStatus } from './transport-status.js';

/** For `@EventPattern(pattern, millraceTransport)`: only this transport serves the handler, in applications with several. */
export const millraceTransport: unique symbol = Symbol('MILLRACE');

/**
 * Nest's `@EventPattern` and `@MessagePattern` controllers over Millrace: `{ strategy: new MillraceServer({ … }) }`. Events
 * are durable: they wait in the service's queue, are retried by policy and then kept as dead letters. Requests wait for a
 * reply no longer than the client does.
 */
export class MillraceServer extends Server<TransportEvents, TransportStatus> implements CustomTransportStrategy {
  override readonly transportId: symbol = millraceTransport;
  /** Nest 12: hands us what event handlers throw, so that the retry policy sees it. */
  override readonly propagatesEventHandlerErrors: boolean = true;
  readonly #options: MillraceServerOptions;
  readonly #link: TransportLink;
  readonly #events: EventPatternHandler[] = [];
  #consumers: ConsumerHandle[] | undefined;
  #desk: RequestDesk | undefined;
  #closing: Promise<void> | undefined;

  /** @throws {OptionsError} with every problem at once */
  constructor(options: MillraceServerInput) {
    super();
    keepOriginalErrorsOfEvents();
    this.#options = resolveServerOptions(options);
    this.#link = new TransportLink(this.#options.connection, {
      name: this.#options.queue,
      failed: `MillraceServer (queue "${this.#options.queue}") cannot start`,
      next: 'another listen()',
      status: this._status$,
    });
    this.#link.millrace.attach(this);
  }

  /** Called by Nest for each pattern of each handler. Several handlers of one event each get it, and are retried alone. */
  override addHandler(pattern: unknown, callback: MessageHandler, isEventHandler = false, extras: object = {}): void {
    callback.isEventHandler = isEventHandler;
    callback.extras = extras;
    const route = this.normalizePattern(pattern as string);
    if (isEventHandler) this.#events.push({ pattern: route, callback, extras });
    if (!this.messageHandlers.has(route)) this.messageHandlers.set(route, callback);
  }

  /** Called by Nest: declares, and begins to consume. After a start that failed, or `close()`, it can be called again. */
  listen(callback: (error?: unknown) => void): void {
    const told = (error?: unknown): void => notify(() => callback(error), this.#hookFailed('the callback of listen'));
    this.#closing = undefined;
    this.#start().then(
      () => told(),
      async (error: unknown) => {
        await this.close();
        told(error);
      },
    );
  }

  /** Takes nothing more, lets handlers end, and closes the connection if it is the server's own. Safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** As a part of its connection it is drained with the application's consumers. */
  stop(): Promise<void> {
    return this.close();
  }

  /** As a part of its connection it can be started; `listen` has done all there is to do. */
  async start(): Promise<void> {}

  /** Declares what its patterns bind, for who publishes before it listens. */
  async declare(): Promise<void> {
    await this.#link.millrace.broker.declareExchange({ name: this.#options.exchange, type: 'topic' });
    await declareConsumers(
      this.#link.millrace,
      this.#eventConsumers().map(({ plan }) => plan),
    );
    await this.#requestDesk()?.declare();
  }

  override on<K extends keyof TransportEvents>(event: K, callback: TransportEvents[K]): void {
    this.#link.on(event, callback);
  }

  /** The {@link Millrace}: its `connection`, `log`, `broker` and `events`. */
  override unwrap<T = Millrace>(): T {
    return this.#link.millrace as T;
  }

  async #start(): Promise<void> {
    const millrace = await this.#link.open();
    millrace.attach(this);
    await this.declare();
    await Promise.all([...this.#eventConsumers().map((consumer) => consumer.start()), this.#desk?.start()]);
  }

  #eventConsumers(): ConsumerHandle[] {
    if (this.#consumers !== undefined) return this.#consumers;
    const plans = planEvents(this.#events, this.#link.millrace, this.#options, (handler, payload, context) =>
      this.#handle(handler, payload, context),
    );
    const problems = plans.flatMap((plan) => {
      const rival = rivalOf(plan);
      return rival === undefined ? [] : [`${plan.label}: ${rival.label} consumes from ${rival.overlap} already`];
    });
    throwProblems('MillraceServer', problems);
    this.#consumers = plans.map((plan) => new ConsumerHandle(plan));
    for (const plan of plans) claimSource(plan);
    return this.#consumers;
  }

  #requestDesk(): RequestDesk | undefined {
    const requests = new Map([...this.messageHandlers].filter(([, handler]) => handler.isEventHandler !== true));
    if (requests.size === 0) return undefined;
    this.#desk ??= new RequestDesk(this.#link.millrace, this.#options, requests, {
      observe: (value) => this.transformToObservable(value),
      around: (context, work) => this.#withHooks(context, (end) => work().finally(end)),
    });
    return this.#desk;
  }

  async #close(): Promise<void> {
    const deadlineMs = this.#options.shutdownDeadlineMs ?? this.#link.millrace.options.shutdownDeadlineMs;
    await Promise.allSettled([
      ...(this.#consumers ?? []).map((consumer) => consumer.stop({ deadlineMs })),
      this.#desk?.stop({ deadlineMs }),
    ]);
    for (const { plan } of this.#consumers ?? []) releaseSource(plan);
    this.#consumers = undefined;
    this.#desk = undefined;
    this.#link.millrace.detach(this);
    await this.#link.close();
  }

  /** One event for one handler. Rejects with what the handler threw: then it is retried by policy. */
  async #handle(
    { callback, pattern }: EventPatternHandler,
    payload: unknown,
    delivery: DeliveryContext,
  ): Promise<void> {
    const route = 'routingKey' in delivery ? String(delivery.routingKey) : pattern;
    const packet = unwrapEnvelope(payload, route, this.#options.envelope);
    const context = new MillraceContext(delivery, packet.pattern, packet.metadata);
    await this.#withHooks(context, async (end) => {
      const answer: unknown = await callback(packet.data, context);
      if (isObservable(answer)) await lastValueFrom(answer.pipe(finalize(end)), { defaultValue: undefined });
      else if (isGenerator(answer)) await runToEnd(answer, delivery.signal).finally(end);
      else end();
    });
  }

  /** Runs `work` between Nest's processing hooks; its failure is ours, whatever a hook makes of it. */
  #withHooks(context: MillraceContext, work: (end: () => void) => Promise<void>): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const run = async (end: () => void): Promise<void> => {
        try {
          await work(end);
          resolve();
        } catch (error) {
          end();
          reject(error);
        }
      };
      let hasEnded = false;
      const end = (): void => {
        if (hasEnded) return;
        hasEnded = true;
        notify(
          () => this.onProcessingEndHook?.(this.transportId, context),
          this.#hookFailed('the processing end hook'),
        );
      };
      notify(() => this.onProcessingStartHook(this.transportId, context, () => run(end)), reject);
    });
  }

  #hookFailed(duty: string): (error: unknown) => void {
    return (error) => void this.#link.millrace.events.emit('background-error', { duty, error });
  }
}
