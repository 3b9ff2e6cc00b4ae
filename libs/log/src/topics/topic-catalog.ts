import { TopicNotFoundError } from '@millrace/core';
import type { RedisConnection } from '@millrace/redis';
import { idempotently } from '../idempotent-call.js';
import type { Topic } from '../model/topic.js';
import { findTopic } from '../store/topics.js';

/**
 * The topics this process knows, so that a send needs no look-up. Every append returns the topic's version: a caller that
 * sees a newer one calls `refresh`.
 */
export class TopicCatalog {
  readonly #connection: RedisConnection;
  readonly #known = new Map<string, Topic>();
  readonly #loading = new Map<string, Promise<Topic>>();

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  /** What is known of a topic, without a call to Redis. It may be stale. */
  peek(name: string): Topic | undefined {
    return this.#known.get(name);
  }

  /** @throws {TopicNotFoundError} @throws {UnavailableError} Redis did not reply within `timeoutMs` */
  async get(name: string, timeoutMs?: number): Promise<Topic> {
    return this.#known.get(name) ?? this.refresh(name, timeoutMs);
  }

  /** Reads the topic from Redis; concurrent callers share one read. */
  refresh(name: string, timeoutMs?: number): Promise<Topic> {
    const underWay = this.#loading.get(name);
    if (underWay !== undefined) return underWay;
    // What was learned or dropped meanwhile is newer than the reply.
    const isLatest = (): boolean => this.#loading.get(name) === loading;
    const loading: Promise<Topic> = this.#load(name, isLatest, timeoutMs).finally(() => {
      if (isLatest()) this.#loading.delete(name);
    });
    this.#loading.set(name, loading);
    return loading;
  }

  /** Reads the topic from Redis, without sharing an earlier read: the result is current. */
  reload(name: string): Promise<Topic> {
    this.#loading.delete(name);
    return this.refresh(name);
  }

  learn(topic: Topic): void {
    const known = this.#known.get(topic.name);
    const isOlder = known !== undefined && (known.id - topic.id || known.version - topic.version) > 0;
    if (isOlder) return;
    this.#known.set(topic.name, topic);
    this.#loading.delete(topic.name);
  }

  forget(name: string): void {
    this.#known.delete(name);
    this.#loading.delete(name);
  }

  async #load(name: string, isLatest: () => boolean, timeoutMs?: number): Promise<Topic> {
    const { prefix } = this.#connection;
    const find = (): Promise<Topic | undefined> =>
      idempotently(this.#connection, `look up topic "${name}"`, (client) => findTopic(client, prefix, name), timeoutMs);
    const topic = await find();
    if (topic === undefined) {
      if (isLatest()) this.#known.delete(name);
      throw new TopicNotFoundError(name);
    }
    if (isLatest()) this.#known.set(name, topic);
    return topic;
  }
}
