import type { RecordMetadata } from '@millrace/log';
import type { Receipt } from '@millrace/queue';
import { ClientProxy, type ReadPacket, type WritePacket } from '@nestjs/microservices';
import { type Packet, wrap } from './envelope.js';
import type { Millrace } from './millrace.js';
import { MillraceRecord } from './record-builder.js';
import { requestsExchange } from './rpc-names.js';
import {
  type MillraceClientInput,
  type MillraceClientOptions,
  resolveClientOptions,
  transportConnection,
} from './transport-options.js';
import { type TransportEvents, watchConnection } from './transport-status.js';

/**
 * `emit` publishes an event: to the exchange by its pattern, or as a record of a topic when the pattern is
 * `{ topic: 'orders' }`; the observable completes when Redis has it. `send` asks for replies; unsubscribing cancels the request.
 */
export class MillraceClient extends ClientProxy<TransportEvents> {
  readonly #options: MillraceClientOptions;
  readonly #millrace: Millrace;
  readonly #isOwnConnection: boolean;
  readonly #unwatch: () => void;
  #connecting: Promise<Millrace> | undefined;

  /** @throws {OptionsError} with every problem at once */
  constructor(options: MillraceClientInput) {
    super();
    this.#options = resolveClientOptions(options);
    [this.#millrace, this.#isOwnConnection] = transportConnection(this.#options.connection, 'client');
    this.#unwatch = watchConnection(this.#millrace.connection, this._status$);
  }

  /** @throws {UnavailableError} Redis is away; the next call tries again */
  connect(): Promise<Millrace> {
    this.#connecting ??= this.#connect().catch((error: unknown) => {
      this.#connecting = undefined;
      throw error;
    });
    return this.#connecting;
  }

  async close(): Promise<void> {
    this.#unwatch();
    this._status$.next('disconnected');
    if (this.#isOwnConnection) await this.#millrace.close();
  }

  override on<K extends keyof TransportEvents>(event: K, callback: TransportEvents[K]): void {
    this.#millrace.connection.on(event, callback as never);
  }

  /** The {@link Millrace}: its `connection`, `log`, `broker` and `events`. */
  override unwrap<T = Millrace>(): T {
    return this.#millrace as T;
  }

  /** Asks. The answer ends the waiting, which cancels the request if its last reply had not come. */
  protected override publish(packet: ReadPacket, callback: (packet: WritePacket) => void): () => void {
    const waiting = new AbortController();
    this.#ask(packet, callback, waiting.signal).catch((err: unknown) => {
      if (!waiting.signal.aborted) callback({ err });
    });
    return () => waiting.abort();
  }

  protected override async dispatchEvent<T>(packet: ReadPacket): Promise<T> {
    const { data, options } = recordOf(packet.data);
    const topic = topicOf(packet.pattern);
    const sent = topic === undefined ? this.#publishEvent(packet) : this.#append(topic, data, options);
    return (await sent) as T;
  }

  #publishEvent(packet: ReadPacket): Promise<Receipt> {
    const { options } = recordOf(packet.data);
    const { key: _key, ...properties } = options;
    const wanted = this.#packet(packet);
    return this.#millrace.broker.publish(
      this.#options.exchange,
      wanted.pattern,
      wrap(wanted, this.#options.envelope),
      properties,
    );
  }

  #append(
    { topic, key }: { readonly topic: string; readonly key?: string },
    value: unknown,
    options: MillraceRecord['options'],
  ): Promise<RecordMetadata> {
    return this.#millrace.producer.send({ topic, value, key: options.key ?? key, headers: options.headers });
  }

  async #ask(packet: ReadPacket, callback: (packet: WritePacket) => void, signal: AbortSignal): Promise<void> {
    const { envelope, timeoutMs } = this.#options;
    const { headers, priority } = recordOf(packet.data).options;
    const wanted = this.#packet(packet);
    const exchange = requestsExchange(this.#options.exchange);
    const options = { timeoutMs, signal, headers, priority };
    const replies = this.#millrace.broker.requestStream(exchange, wanted.pattern, wrap(wanted, envelope), options);
    for await (const reply of replies) {
      if (signal.aborted) return;
      const { err, response }: WritePacket = envelope === 'raw' ? { response: reply } : (reply as WritePacket);
      if (err !== undefined) return callback({ err });
      callback({ response });
    }
    callback({ isDisposed: true });
  }

  #packet({ pattern, data, metadata }: ReadPacket): Packet {
    return { pattern: this.normalizePattern(pattern), data: recordOf(data).data, metadata: metadata ?? {} };
  }

  async #connect(): Promise<Millrace> {
    if (this.#isOwnConnection) await this.#millrace.connect();
    await this.#millrace.ready();
    const { exchange } = this.#options;
    await this.#millrace.broker.declare({
      exchanges: [
        { name: exchange, type: 'topic' },
        { name: requestsExchange(exchange), type: 'topic' },
      ],
    });
    return this.#millrace;
  }
}

function recordOf(data: unknown): MillraceRecord {
  return data instanceof MillraceRecord ? data : new MillraceRecord(data);
}

function topicOf(pattern: unknown): { readonly topic: string; readonly key?: string } | undefined {
  if (typeof pattern !== 'object' || pattern === null || !('topic' in pattern)) return undefined;
  if (typeof pattern.topic !== 'string') return undefined;
  return 'key' in pattern && typeof pattern.key === 'string'
    ? { topic: pattern.topic, key: pattern.key }
    : { topic: pattern.topic };
}
