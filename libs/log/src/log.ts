import { type Codec, CodecRegistry, jsonCodec, rawCodec } from '@millrace/core';
import { Events } from '@millrace/delivery';
import type { RedisConnection } from '@millrace/redis';
import { SharedChannel } from './append-channel.js';
import type { Topic, TopicInput } from './model/topic.js';
import { Producer } from './producer.js';
import { type ProducerOptions, resolveProducerOptions } from './producer-options.js';
import { TopicCatalog } from './topic-catalog.js';
import { type TopicChange, type TopicDescription, Topics } from './topics.js';

export interface LogOptions {
  /** Where events go; default: an emitter of its own. */
  readonly events?: Events;
  /** Codecs beside `json` and `raw`. */
  readonly codecs?: readonly Codec[];
}

/** The log side of Millrace: topics, producers, readers and consumer groups over one connection. */
export class Log {
  readonly events: Events;
  readonly #connection: RedisConnection;
  readonly #codecs: ReadonlyMap<string, Codec>;
  readonly #catalog: TopicCatalog;
  readonly #topics: Topics;
  readonly #producers = new Set<Producer>();

  constructor(connection: RedisConnection, { events = new Events(), codecs = [] }: LogOptions = {}) {
    this.events = events;
    this.#connection = connection;
    const known = [jsonCodec, rawCodec as Codec, ...codecs];
    new CodecRegistry(known);
    this.#codecs = new Map(known.map((codec) => [codec.name, codec]));
    this.#catalog = new TopicCatalog(connection);
    this.#topics = new Topics(connection, this.#catalog, this.#codecs);
  }

  declareTopic(topic: TopicInput): Promise<TopicDescription> {
    return this.#topics.declare(topic);
  }

  describeTopic(name: string): Promise<TopicDescription> {
    return this.#topics.describe(name);
  }

  listTopics(): Promise<Topic[]> {
    return this.#topics.list();
  }

  deleteTopic(name: string): Promise<boolean> {
    return this.#topics.delete(name);
  }

  addPartitions(name: string, partitions: number): Promise<TopicDescription> {
    return this.#topics.addPartitions(name, partitions);
  }

  alterTopic(name: string, change: TopicChange): Promise<TopicDescription> {
    return this.#topics.alter(name, change);
  }

  producer(options: Partial<ProducerOptions> = {}): Producer {
    const producer: Producer = new Producer(resolveProducerOptions(options), new SharedChannel(this.#connection), {
      connection: this.#connection,
      catalog: this.#catalog,
      codecs: this.#codecs,
      onBackgroundError: (duty, error) => this.events.emit('background-error', { duty, error }),
      onClosed: () => void this.#producers.delete(producer),
    });
    this.#producers.add(producer);
    return producer;
  }

  /** Stops everything it made; the connection stays open. */
  async close(): Promise<void> {
    await Promise.all([...this.#producers].map((producer) => producer.close()));
  }
}
