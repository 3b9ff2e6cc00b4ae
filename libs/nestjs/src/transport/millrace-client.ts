import { UnavailableError } from '@millrace/core';
import type { RecordMetadata } from '@millrace/log';
import type { Receipt } from '@millrace/queue';
import { ClientProxy, type ReadPacket, type WritePacket } from '@nestjs/microservices';
import type { Millrace } from '../module/millrace.js';
import { type Packet, wrap } from './envelope.js';
import { MillraceRecord } from './record-builder.js';
import { requestsExchange } from './rpc-names.js';
import { TransportLink } from './transport-link.js';
import { type MillraceClientInput, type MillraceClientOptions, resolveClientOptions } from './transport-options.js';
import type { TransportEvents } from './transport-status.js';

/**
 * `emit` publishes an event: to the exchange by its pattern, or as a record of a topic when the pattern is `{ topic: 'orders' }`; the
 * observable completes when Redis has it. `send` makes a request; unsubscribing cancels it.
 */
export class MillraceClient extends ClientProxy<TransportEvents> {
  readonly #options: MillraceClientOptions;
  readonly #link: TransportLink;
  #connecting: Promise<Millrace> | undefined;

  /** @throws {OptionsError} with every problem */
  constructor(options: MillraceClientInput) {
    super();
    this.#options = resolveClientOptions(options);
    this.#link = new TransportLink(this.#options.connection, {
      name: 'client',
      failed: 'MillraceClient cannot connect',
      next: 'the next call',
      status: this._status$,
    });
  }

  /** Called by `send` and `emit`, also after `close()`. @throws {UnavailableError} Redis is away; the next call tries again */
  connect(): Promise<Millrace> {
    const connecting =
      this.#connecting ??
      this.#connect().catch((error: unknown) => {
        if (this.#connecting === connecting) this.#connecting = undefined;
        throw error;
      });
    this.#connecting = connecting;
    return connecting;
  }

  /** Ends the client's own connection. The next `send` or `emit` connects again. */
  async close(): Promise<void> {
    this.#connecting = undefined;
    await this.#link.close();
  }

  override on<K extends keyof TransportEvents>(event: K, callback: TransportEvents[K]): void {
    this.#link.on(event, callback);
  }

  /** The {@link Millrace}: its `connection`, `log`, `broker` and `events`. */
  override unwrap<T = Millrace>(): T {
    return this.#link.millrace as T;
  }

  /** Sends a request. Returns a function that ends the wait and cancels the request if its last reply has not arrived. */
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
    return this.#link.millrace.broker.publish(
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
    return this.#link.millrace.producer.send({ topic, value, key: options.key ?? key, headers: options.headers });
  }

  async #ask(packet: ReadPacket, callback: (packet: WritePacket) => void, signal: AbortSignal): Promise<void> {
    const { envelope, timeoutMs } = this.#options;
    const { headers, priority } = recordOf(packet.data).options;
    const wanted = this.#packet(packet);
    const exchange = requestsExchange(this.#options.exchange);
    const options = { timeoutMs, signal, headers, priority };
    const replies = this.#link.millrace.broker.requestStream(exchange, wanted.pattern, wrap(wanted, envelope), options);
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
    const { connection, name, state } = this.#link.millrace;
    // A module may wait for Redis in the background without limit, but a call may not.
    if (state === 'waiting') {
      throw new UnavailableError(
        `MillraceClient cannot connect: connection "${name}" waits for Redis: ${connection.downReason}.`,
      );
    }
    const millrace = await this.#link.open();
    const { exchange } = this.#options;
    await millrace.broker.declare({
      exchanges: [
        { name: exchange, type: 'topic' },
        { name: requestsExchange(exchange), type: 'topic' },
      ],
    });
    return millrace;
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

declare module '@nestjs/microservices' {
  /** Nest takes a `customClass` here, but does not declare it: `@Client({ customClass: MillraceClient, options: { connection } })`. */
  function Client(metadata: {
    readonly customClass: typeof MillraceClient;
    readonly options: MillraceClientInput;
  }): PropertyDecorator;
}
