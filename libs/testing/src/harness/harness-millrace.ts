import { type Codec, checkedHeaders, jsonCodec, noHeaders } from '@millrace/core';
import { Log, type Producer, type RecordInput, type RecordMetadata } from '@millrace/log';
import { Millrace, type MillraceModuleOptions } from '@millrace/nestjs';
import { Broker, type MessageInput, type PublishProperties, type QueueMessage, type Receipt } from '@millrace/queue';
import type { Journal } from './journal.js';

/** A connection that records everything published, and without Redis sends nothing. */
export class HarnessMillrace extends Millrace {
  override readonly log: Log;
  override readonly broker: Broker;
  readonly #isOffline: boolean;

  constructor(name: string, options: MillraceModuleOptions, journal: Journal, { isOffline }: { isOffline: boolean }) {
    super(name, options);
    this.#isOffline = isOffline;
    const shared = { events: this.events, codecs: options.codecs };
    const parts = { journal, isOffline };
    this.log = new HarnessLog(parts, this.connection, { ...options.log, ...shared });
    this.broker = new HarnessBroker(parts, this.connection, { ...options.publisher, ...shared });
  }

  override async connect(): Promise<void> {
    if (!this.#isOffline) await super.connect();
  }

  override async ready(): Promise<void> {
    if (!this.#isOffline) await super.ready();
  }
}

interface Parts {
  readonly journal: Journal;
  readonly isOffline: boolean;
}

class HarnessLog extends Log {
  readonly #parts: Parts;

  constructor(parts: Parts, ...rest: ConstructorParameters<typeof Log>) {
    super(...rest);
    this.#parts = parts;
  }

  override producer(...options: Parameters<Log['producer']>): Producer {
    const producer = super.producer(...options);
    const { journal, isOffline } = this.#parts;
    const note = ({ topic, value, key, headers: given = noHeaders }: RecordInput): void => {
      const headers = checkedHeaders(`record for topic "${topic}"`, given);
      journal.published.push({ to: 'topic', topic, value: asReceived(value), key, headers });
    };
    const { send, sendBatch } = producer;
    let offset = 0;
    const written = ({ topic }: RecordInput): RecordMetadata => {
      return { topic, partition: 0, offset: offset++, timestamp: Date.now() };
    };
    producer.send = async (record) => {
      note(record);
      return isOffline ? written(record) : send.call(producer, record);
    };
    producer.sendBatch = async (records) => {
      records.forEach(note);
      return isOffline ? records.map(written) : sendBatch.call(producer, records);
    };
    return producer;
  }
}

class HarnessBroker extends Broker {
  readonly #parts: Parts;

  constructor(parts: Parts, ...rest: ConstructorParameters<typeof Broker>) {
    super(...rest);
    this.#parts = parts;
  }

  override async publish(
    exchange: string,
    routingKey: string,
    body: unknown,
    properties: PublishProperties = {},
  ): Promise<Receipt> {
    this.#note(exchange, routingKey, body, properties);
    if (!this.#parts.isOffline) return super.publish(exchange, routingKey, body, properties);
    return receipt(properties.messageId, []);
  }

  override async sendToQueue(queue: string, body: unknown, properties: PublishProperties = {}): Promise<Receipt> {
    this.#note('', queue, body, properties);
    if (!this.#parts.isOffline) return super.sendToQueue(queue, body, properties);
    return receipt(properties.messageId, [queue]);
  }

  override async sendBatchToQueue(queue: string, messages: readonly QueueMessage[]): Promise<Receipt[]> {
    for (const { body, properties = {} } of messages) this.#note('', queue, body, properties);
    if (!this.#parts.isOffline) return super.sendBatchToQueue(queue, messages);
    return messages.map(({ properties }) => receipt(properties?.messageId, [queue]));
  }

  override async publishBatch(messages: readonly MessageInput[]): Promise<Receipt[]> {
    for (const { exchange, routingKey, body, properties = {} } of messages) {
      this.#note(exchange, routingKey, body, properties);
    }
    if (!this.#parts.isOffline) return super.publishBatch(messages);
    return messages.map(({ properties }) => receipt(properties?.messageId, []));
  }

  #note(exchange: string, routingKey: string, body: unknown, properties: PublishProperties): void {
    const subject = exchange === '' ? `message for queue "${routingKey}"` : `message for exchange "${exchange}"`;
    const headers = checkedHeaders(subject, properties.headers ?? noHeaders);
    const received = asReceived(body, properties.codec);
    this.#parts.journal.published.push(
      exchange === ''
        ? { to: 'queue', queue: routingKey, body: received, headers }
        : { to: 'exchange', exchange, routingKey, body: received, headers },
    );
  }
}

/** The payload as a handler would receive it: a value that cannot be encoded fails here as with Redis. */
export function asReceived(value: unknown, codec: Codec = jsonCodec): unknown {
  const encoded = codec.encode(value);
  return codec.decode(typeof encoded === 'string' ? Buffer.from(encoded) : Buffer.from(encoded));
}

function receipt(messageId = 'offline', queues: readonly string[]): Receipt {
  return { messageId, queues, topics: [], isUnroutable: false, refused: [], duplicates: [] };
}
