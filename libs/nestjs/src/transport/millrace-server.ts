import { notify } from '@millrace/core';
import { type DeliveryContext, isGenerator, runOutsideHandlers, runToEnd } from '@millrace/delivery';
import { type CustomTransportStrategy, type MessageHandler, Server } from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';
import { finalize } from 'rxjs/operators';
import { ConsumerHandle } from '../consumers/consumer-handle.js';
import type { Millrace } from '../module/millrace.js';
import { untilAborted } from '../pipeline/cancellable-stream.js';
import type { ConsumerPlan } from '../plans/consumer-plan.js';
import { declareConsumers } from '../topology/declare-topology.js';
import { throwProblems } from '../topology/topology.js';
import { unwrap as unwrapEnvelope } from './envelope.js';
import { type EventPatternHandler, planEvents } from './event-patterns.js';
import { keepOriginalErrorsOfEvents } from './original-errors.js';
import { MillraceContext } from './rpc-context.js';
import { TransportLink } from './transport-link.js';
import { type MillraceServerInput, type MillraceServerOptions, resolveServerOptions } from './transport-options.js';
import { TransportResponder } from './transport-responder.js';
import type { TransportEvents, TransportStatus } from './transport-status.js';

/** For `@EventPattern(pattern, millraceTransport)`: only this transport serves the handler, in applications with several. */
export const millraceTransport: unique symbol = Symbol.for('millrace.transport');

/**
 * Nest's `@EventPattern` and `@MessagePattern` controllers over Millrace: `{ strategy: new MillraceServer({ … }) }`. Events are durable:
 * they wait in the service's queue, are retried by policy and then kept as dead letters. Requests expire when their client stops waiting.
 */
export class MillraceServer extends Server<TransportEvents, TransportStatus> implements CustomTransportStrategy {
  override readonly transportId: symbol = millraceTransport;
  /** Nest 12: rethrows the errors of event handlers, so that the retry policy applies. */
  override readonly propagatesEventHandlerErrors: boolean = true;
  readonly #options: MillraceServerOptions;
  readonly #link: TransportLink;
  readonly #events: EventPatternHandler[] = [];
  #consumers: readonly ConsumerHandle[] | undefined;
  #closing: Promise<void> | undefined;

  /** @throws {OptionsError} with every problem */
  constructor(options: MillraceServerInput) {
    super();
    keepOriginalErrorsOfEvents();
    this.#options = resolveServerOptions(options);
    this.#link = new TransportLink(this.#options.connection, {
      name: this.#options.queue,
      failed: `MillraceServer (queue "${this.#options.queue}") cannot start`,
      next: 'another listen()',
      status: this._status$,
      shutdownDeadlineMs: this.#options.shutdownDeadlineMs,
    });
    this.#link.millrace.attach(this);
  }

  /** Called by Nest per pattern and handler. Several handlers of one event each get it, and are retried separately. */
  override addHandler(pattern: unknown, callback: MessageHandler, isEventHandler = false, extras: object = {}): void {
    callback.isEventHandler = isEventHandler;
    callback.extras = extras;
    const route = this.normalizePattern(pattern as string);
    if (isEventHandler) this.#events.push({ pattern: route, callback, extras });
    if (!this.messageHandlers.has(route)) this.messageHandlers.set(route, callback);
  }

  /** Called by Nest: declares, and starts consuming. It can be called again after a failed start or `close()`. */
  listen(callback: (error?: unknown) => void): void {
    const end = (error?: unknown): void => notify(() => callback(error), this.#failed('the callback of listen'));
    this.#closing = undefined;
    this.#start().then(
      () => end(),
      async (error: unknown) => {
        await this.close();
        end(error);
      },
    );
  }

  /**
   * Takes no more messages, lets handlers end, and closes the connection if it is the server's own. Safe to call twice. Called inside a
   * handler it resolves immediately; a shutdown still waits for that handler.
   */
  close(): Promise<void> {
    const work = (): Promise<void> => {
      this.#closing ??= this.#close();
      return this.#closing;
    };
    return runOutsideHandlers(work, this.#failed('close'));
  }

  /** Called as a service of its connection: it is drained with the application's consumers. */
  stop(): Promise<void> {
    return this.close();
  }

  /** Declares what its patterns bind, so that a message published before `listen` is routed. */
  async declare(): Promise<void> {
    await this.#link.millrace.broker.declareExchange({ name: this.#options.exchange, type: 'topic' });
    const plans = this.#handles().map(({ plan }) => plan);
    await declareConsumers(this.#link.millrace, plans);
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
    await Promise.all(this.#handles().map((consumer) => consumer.start()));
  }

  /** Its consumers, of events and of requests; created when they are first needed. */
  #handles(): readonly ConsumerHandle[] {
    this.#consumers ??= this.#make();
    return this.#consumers;
  }

  #make(): readonly ConsumerHandle[] {
    const { millrace } = this.#link;
    const plans = [
      ...planEvents(this.#events, millrace, this.#options, (handler, payload, context) =>
        this.#handle(handler, payload, context),
      ),
      ...this.#requestPlans(),
    ];
    const problems = plans.map((plan) => millrace.consumed.problemOf(plan)).filter((problem) => problem !== undefined);
    throwProblems('MillraceServer', problems);
    const handles = plans.map((plan) => new ConsumerHandle(plan));
    for (const plan of plans) millrace.consumed.add(plan);
    return handles;
  }

  #requestPlans(): readonly ConsumerPlan[] {
    const requests = new Map([...this.messageHandlers].filter(([, handler]) => handler.isEventHandler !== true));
    if (requests.size === 0) return [];
    const responder = new TransportResponder(this.#link.millrace, this.#options, requests, {
      observe: (value) => this.transformToObservable(value),
      around: (context, work) =>
        this.#withHooks(context, async (end) => {
          await work();
          end();
        }),
    });
    return [responder.plan];
  }

  async #close(): Promise<void> {
    const { millrace } = this.#link;
    const deadlineMs = this.#options.shutdownDeadlineMs ?? millrace.options.shutdownDeadlineMs;
    const handles = this.#consumers ?? [];
    this.#link.drainBegins();
    await Promise.allSettled(handles.map((consumer) => consumer.stop({ deadlineMs })));
    for (const { plan } of handles) millrace.consumed.release(plan);
    this.#consumers = undefined;
    millrace.detach(this);
    await this.#link.close();
  }

  /** One event for one handler. Rejects with the handler's error: then the event is retried by policy. */
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
      if (isObservable(answer)) {
        const values = untilAborted(answer, delivery.signal).pipe(finalize(end));
        await lastValueFrom(values, { defaultValue: undefined });
      } else if (isGenerator(answer)) await runToEnd(answer, delivery.signal).finally(end);
      else end();
    });
  }

  /** Runs `work` between Nest's processing hooks; rejects with the error of `work`, also when a hook fails. */
  #withHooks(context: MillraceContext, work: (end: () => void) => Promise<void>): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      // `inside-handler.ts` of @millrace/delivery looks for its name in the stack.
      const withinHooks = async (end: () => void): Promise<void> => {
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
        notify(() => this.onProcessingEndHook?.(this.transportId, context), this.#failed('the processing end hook'));
      };
      notify(() => this.onProcessingStartHook(this.transportId, context, () => withinHooks(end)), reject);
    });
  }

  #failed(duty: string): (error: unknown) => void {
    return (error) => void this.#link.millrace.events.emit('background-error', { duty, error });
  }
}
