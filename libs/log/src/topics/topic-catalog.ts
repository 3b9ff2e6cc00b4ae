import { TopicNotFoundError } from '@millrace/core';
import type { RedisConnection } from '@millrace/redis';
import { idempotently } from '../idempotent-call.js';
import type { Topic } from '../model/topic.js';
import { findTopic } from '../store/topics.js';

/**
 * The topics this process has heard of, so that a send costs no look-up. Every append answers the topic's version: who
 * sees a newer one than here calls `refresh`.
 */
export class TopicCatalog {
  readonly #connection: RedisConnection;
  readonly #known = new Map<string, Topic>();
  readonly #loading = new Map<string, Promise<Topic>>();

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  /** What is known of a topic without asking. It may have changed since. */
  peek(name: string): Topic | undefined {
    return this.#known.get(name);
  }

  /** @throws {TopicNotFoundError} @throws {UnavailableError} Redis gave no answer within `timeoutMs` */
  async get(name: string, timeoutMs?: number): Promise<Topic> {
    return this.#known.get(name) ?? this.refresh(name, timeoutMs);
  }

  /** Asks Redis; callers of the same moment share one question. */
  refresh(name: string, timeoutMs?: number): Promise<Topic> {
    const underWay = this.#loading.get(name);
    if (underWay !== undefined) return underWay;
    const loading = this.#load(name, timeoutMs).finally(() => this.#loading.delete(name));
    this.#loading.set(name, loading);
    return loading;
  }

  learn(topic: Topic): void {
    const known = this.#known.get(topic.name);
    const isOlder = known !== undefined && (known.id - topic.id || known.version - topic.version) > 0;
    if (!isOlder) this.#known.set(topic.name, topic);
  }

  forget(name: string): void {
    this.#known.delete(name);
  }

  async #load(name: string, timeoutMs?: number): Promise<Topic> {
    const { prefix } = this.#connection;
    const find = (): Promise<Topic | undefined> =>
      idempotently(this.#connection, `look up topic "${name}"`, (client) => findTopic(client, prefix, name), timeoutMs);
    const topic = await find();
    if (topic === undefined) {
      this.forget(name);
      throw new TopicNotFoundError(name);
    }
    this.#known.set(name, topic);
    return topic;
  }
}
