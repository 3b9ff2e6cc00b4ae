import { randomBytes } from 'node:crypto';
import { CodecRegistry, jsonCodec, rawCodec } from '@millrace/core';
import { type Events, type FirstUse, runOutsideHandlers, type StopOptions } from '@millrace/delivery';
import type { RedisConnection } from '@millrace/redis';
import { type BrokerOptions, resolveBrokerOptions } from './broker-options.js';
import type { QueueConsumer } from './consumer/consumer.js';
import type { ConsumerInput } from './consumer/consumer-options.js';
import { ConsumerRegistry } from './consumer/consumer-registry.js';
import { DeadLetterFollowUp } from './dead-letters/dead-letter-follow-up.js';
import { DeadLetterSearch } from './dead-letters/dead-letter-search.js';
import { LineCarrier } from './endings/line-carrier.js';
import type { QueueMessage, SenderContext } from './message-sender.js';
import type { BindingDeclaration } from './model/binding.js';
import { Entries } from './model/entry.js';
import type { ExchangeDeclaration } from './model/exchange-settings.js';
import type { PublishProperties } from './model/publish-properties.js';
import type { QueueDeclaration, QueueSettings } from './model/queue-settings.js';
import type { Receipt } from './model/receipt.js';
import type { PlanStep, TopologyDefinition } from './model/topology-plan.js';
import { Composer, inputsFor, type MessageInput } from './publishing/composer.js';
import { Forwarder } from './publishing/forwarder.js';
import { PublishRequest } from './publishing/publish-request.js';
import { Publisher } from './publishing/publisher.js';
import type { TopicSink } from './publishing/topic-sink.js';
import { checkedHandle, type HandleContext, QueueHandle, type QueueHandleOptions } from './queue-handle.js';
import { QueueSlots } from './queue-slots.js';
import { type RequestOptions, RpcClient } from './rpc/rpc-client.js';
import { RpcResponder } from './rpc/rpc-responder.js';
import type { RemoveConditions } from './store/queue-slot.js';
import { Declarations, type DeclareOptions } from './topology/declarations.js';
import { QueueUpkeep } from './topology/queue-upkeep.js';
import { TopologyCache } from './topology/topology-cache.js';

/** Exchanges, queues and bindings: declares them, publishes to them, and creates consumers of queues. */
export class Broker {
  /** Events of this Broker and its consumers: failures, retries, dead letters, outages. Listen with `broker.events.on(name, listener)`. */
  readonly events: Events;
  readonly #options: BrokerOptions;
  readonly #composer: Composer;
  readonly #declarations: Declarations;
  readonly #publisher: Publisher;
  readonly #consumers: ConsumerRegistry;
  readonly #upkeep: QueueUpkeep;
  readonly #rpc: RpcClient;
  readonly #handleContext: (queue: string) => HandleContext;
  readonly #connection: RedisConnection;
  readonly #onConnectionClosed = (): void => {
    this.#publisher.abandon();
    void this.close({ deadlineMs: 0 }).catch(() => undefined);
  };

  /** @throws {OptionsError} with every problem */
  constructor(connection: RedisConnection, options: Partial<BrokerOptions> = {}) {
    this.#options = resolveBrokerOptions(options);
    this.events = this.#options.events;
    const cache = new TopologyCache(connection);
    this.#composer = new Composer(this.#options);
    this.#declarations = new Declarations(connection, cache, this.#options.deliveryTimeoutMs);
    this.#publisher = new Publisher(connection, cache, this.#options);
    const forwarder = new Forwarder(this.#publisher);
    const routes = {
      known: () => cache.known,
      reload: () => cache.reload(),
      declareQueue: (name: string) => this.declareQueue({ name }),
    };
    const deadLetters = new DeadLetterFollowUp(forwarder, routes, this.events);
    const carrier = new LineCarrier(connection, { 'dead-letter': deadLetters }, this.events);
    this.#publisher.onDied = (queue) => carrier.carry(queue);
    this.#upkeep = new QueueUpkeep(connection, cache, this.#declarations, (queue) => carrier.carry(queue), this.events);
    if (this.#options.upkeep) cache.onLoaded = () => this.#upkeep.start();
    cache.onDamaged = (error) => this.events.emit('background-error', { duty: 'topology', error });
    cache.onReplaced = () => this.#upkeep.wake();
    const { codec, codecs } = this.#options;
    const registry = new CodecRegistry([...new Set([rawCodec, jsonCodec, codec, ...codecs])]);
    this.#rpc = new RpcClient(connection, this, registry, this.events);
    const { deliveryTimeoutMs } = this.#options;
    const search = new DeadLetterSearch(connection, () => cache.reload(), deliveryTimeoutMs);
    const slotsOf = (queue: string) => this.#declarations.slots(queue);
    const slots = (name: string) => {
      const declared = {
        slots: () => slotsOf(name),
        awaitsDeadLetters: () => this.#declarations.awaitsDeadLetters(name),
      };
      return new QueueSlots(connection, name, declared, deliveryTimeoutMs);
    };
    const sender = this.#senderContext();
    this.#handleContext = (name) => ({
      ...sender,
      connection,
      forwarder,
      codecs: registry,
      slots: slots(name),
      deadLetters: search,
    });
    this.#consumers = new ConsumerRegistry({
      connection,
      codecs: registry,
      events: this.events,
      carrier,
      slotsOf,
      responder: new RpcResponder(connection, forwarder, codec, new Entries(randomBytes(6))),
      removeQueue: (queue) => this.deleteQueue(queue, { ifUnused: true }),
    });
    this.#connection = connection;
    // Without its connection the Broker can do nothing: publishes fail, and nothing of it keeps the process alive.
    if (connection.isClosed) this.#onConnectionClosed();
    else connection.once('closed', this.#onConnectionClosed);
  }

  /** Declares an exchange; declaring it again with the same settings does nothing. @throws {TopologyConflictError} */
  async declareExchange(exchange: ExchangeDeclaration, options?: DeclareOptions): Promise<void> {
    await this.#declarations.declare({ exchanges: [exchange] }, options);
  }

  /** Declares a queue; declaring it again with the same settings does nothing. @throws {TopologyConflictError} */
  async declareQueue(queue: QueueDeclaration, options?: DeclareOptions): Promise<QueueSettings> {
    await this.#declarations.declare({ queues: [queue] }, options);
    return this.#declarations.describeQueue(queue.name);
  }

  /** Every publish that begins after this resolves is routed by the binding, in every process. @throws {TopologyNotFoundError} */
  async bind(binding: BindingDeclaration): Promise<void> {
    await this.declare({ bindings: [binding] });
  }

  /** Resolves to whether there was such a binding. */
  unbind(binding: BindingDeclaration): Promise<boolean> {
    return this.#declarations.unbind(binding);
  }

  /** Deletes an exchange with its bindings. Resolves to false when there is none, or when it is in use and `ifUnused`. */
  deleteExchange(name: string, options?: { readonly ifUnused?: boolean }): Promise<boolean> {
    return this.#declarations.deleteExchange(name, options);
  }

  /** Deletes a queue with its messages. Resolves to false when there is none, or a condition does not hold. */
  deleteQueue(name: string, conditions?: RemoveConditions): Promise<boolean> {
    return this.#declarations.deleteQueue(name, conditions);
  }

  /** What `declare` would do with this definition. Nothing is changed. */
  plan(definition: TopologyDefinition): Promise<PlanStep[]> {
    return this.#declarations.plan(definition);
  }

  /** Declares everything in one change, or nothing. Resolves to what was new or different. @throws {TopologyConflictError} */
  async declare(definition: TopologyDefinition, options?: DeclareOptions): Promise<PlanStep[]> {
    await this.#publisher.topics.assertThere(definition.bindings ?? []);
    return this.#declarations.declare(definition, options);
  }

  /**
   * Publishes a message; the receipt is Redis' confirmation.
   *
   * @throws {InvalidMessageError} the message is invalid: nothing was published
   * @throws {TopologyNotFoundError} there is no such exchange
   * @throws {UnroutableError} it is mandatory and reached no queue or topic
   * @throws {WriteError} no confirmation within `deliveryTimeoutMs`
   */
  publish(exchange: string, routingKey: string, body: unknown, properties?: PublishProperties): Promise<Receipt> {
    return PublishRequest.one(this.#publisher, this.#composer, { exchange, routingKey, body, properties });
  }

  /** Puts a message straight into a queue. @throws {TopologyNotFoundError} there is no such queue; else as `publish` */
  sendToQueue(queue: string, body: unknown, properties?: PublishProperties): Promise<Receipt> {
    const message = { exchange: '', routingKey: queue, body, properties };
    return PublishRequest.one(this.#publisher, this.#composer, message, { isSentToQueue: true });
  }

  /** As `publishBatch`, straight into a queue. @throws {TopologyNotFoundError} there is no such queue; else as `publish` */
  sendBatchToQueue(queue: string, messages: readonly QueueMessage[]): Promise<Receipt[]> {
    const inputs = inputsFor(queue, messages);
    return PublishRequest.all(this.#publisher, this.#composer, inputs, { isSentToQueue: true });
  }

  /**
   * Publishes many messages, in order; resolves to their receipts in that order. All are checked before the first is sent. When one fails
   * the others continue, and the first error is thrown at the end: with your own message ids, the whole call can be repeated.
   */
  publishBatch(messages: readonly MessageInput[]): Promise<Receipt[]> {
    return PublishRequest.all(this.#publisher, this.#composer, messages);
  }

  /** Creates a consumer of a queue, which does nothing until its `start()`. @throws {OptionsError} with every problem */
  consumer(options: ConsumerInput): QueueConsumer {
    return this.#consumers.create(options);
  }

  /**
   * One queue: sends to it, and reads and changes it and its messages. `T` is the type of its payloads, `R` that of the replies to its
   * requests, which are not checked without `options`. Its `deadLetters` are what waits in `deadLetterQueue`, else in this queue itself.
   */
  queue<T = unknown, R = unknown>(name: string, options: QueueHandleOptions = {}): QueueHandle<T, R> {
    const { deadLetterQueue, ...payloads } = checkedHandle(name, options);
    const letters = deadLetterQueue === undefined ? undefined : this.queue<T>(deadLetterQueue).deadLetters;
    return new QueueHandle<T, R>(name, this.#handleContext(name), payloads, letters);
  }

  /**
   * Publishes a request and resolves to what its handler returned.
   *
   * @throws {RemoteError} the handler failed
   * @throws {RequestTimeoutError} no reply within `timeoutMs`
   * @throws {UnroutableError} no queue is bound there; and as `publish`; or what `signal` was aborted with
   */
  request(exchange: string, routingKey: string, body: unknown, options?: RequestOptions): Promise<unknown> {
    return this.#rpc.request(exchange, routingKey, body, options);
  }

  /** As `request`, for a handler that yields any number of replies. Ending the iteration early cancels the request. */
  requestStream(exchange: string, routingKey: string, body: unknown, options?: RequestOptions): AsyncIterable<unknown> {
    return this.#rpc.stream(exchange, routingKey, body, options);
  }

  /** Runs `firstUse` on the first publish; every publish waits until it is done, and fails if it rejects. */
  beforeFirstPublish(firstUse: FirstUse): void {
    this.#publisher.firstUse = firstUse;
  }

  /** Sets where bindings to topics lead: see @millrace/bridge. */
  feedTopics(sink: TopicSink): void {
    this.#publisher.topics.sink = sink;
  }

  /**
   * Stops its consumers, deletes its exclusive queues, accepts no more messages, and waits until each one has its receipt or error. With
   * `deadlineMs` it waits no longer: then a message without a receipt fails with a `WriteError`. Does not wait for a handler it is called in.
   */
  close(options?: StopOptions): Promise<void> {
    const onError = (error: unknown): void => void this.events.emit('background-error', { duty: 'close', error });
    return runOutsideHandlers(() => this.#close(options), onError);
  }

  #senderContext(): SenderContext {
    return {
      send: (queue, body, properties) => this.sendToQueue(queue, body, properties),
      sendBatch: (queue, messages) => this.sendBatchToQueue(queue, messages),
      request: (queue, body, options) => this.#rpc.request('', queue, body, options),
      requestStream: (queue, body, options) => this.#rpc.stream('', queue, body, options),
    };
  }

  async #close(options: StopOptions | undefined): Promise<void> {
    this.#publisher.giveUpIn(options?.deadlineMs);
    await Promise.all([this.#consumers.close(options), this.#rpc.close()]);
    await this.#upkeep.stop();
    await this.#publisher.close();
    this.#connection.off('closed', this.#onConnectionClosed);
  }
}
