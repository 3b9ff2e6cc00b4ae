import { randomBytes } from 'node:crypto';
import { Cluster, type RedisConnection } from '@millrace/redis';
import type { BrokerOptions } from '../broker-options.js';
import { maxQueues } from '../model/call-size.js';
import type { Router } from '../model/routing.js';
import { PublishCalls } from '../store/publish-calls.js';
import { CallItem } from './call-item.js';
import type { Publication } from './publication.js';
import { PublishChannel } from './publish-channel.js';
import { type PipelineListener, PublishPipeline } from './publish-pipeline.js';

/** A record must outlive every repetition of its call: the delivery timeout, plus what a dead connection may still deliver. */
const recordSlackMs = 60_000;

/** The pipelines of a publisher: one on a single server; in a cluster one per slot, and one for messages without a queue. */
export class PublishPipelines {
  readonly #connection: RedisConnection;
  readonly #recordTtlMs: number;
  readonly #listener: PipelineListener;
  readonly #channel: PublishChannel;
  readonly #isCluster: boolean;
  /** By slot; '' for messages of any slot. */
  readonly #pipelines = new Map<string, PublishPipeline>();
  /** Distinguishes the records of this publisher's calls from those of others. */
  readonly #id = randomBytes(6).toString('base64url');

  constructor(connection: RedisConnection, options: BrokerOptions, listener: PipelineListener) {
    this.#connection = connection;
    this.#recordTtlMs = options.deliveryTimeoutMs + recordSlackMs;
    this.#listener = listener;
    this.#channel = new PublishChannel(connection, options);
    this.#isCluster = connection.commands instanceof Cluster;
  }

  /**
   * Sends a message, which was routed by `router`, to those of its slots that have not replied yet. False: all have. On one server it is one
   * call, unless so many slots would block Redis for too long.
   */
  send(publication: Publication, router: Router): boolean {
    const { slots } = publication;
    const isFresh = !slots.some((slot) => publication.hasReached(slot));
    if (slots.length === 0 || (!this.#isCluster && isFresh && slots.length <= maxQueues)) {
      publication.sent(1);
      this.#pipeline(undefined).add(new CallItem(publication, slots, router));
      return true;
    }
    const missing = slots.filter((slot) => !publication.hasReached(slot));
    if (missing.length === 0) return false;
    const size = this.#isCluster ? 1 : maxQueues;
    publication.sent(Math.ceil(missing.length / size));
    for (let next = 0; next < missing.length; next += size) {
      const some = missing.slice(next, next + size);
      this.#pipeline(this.#isCluster ? some[0] : undefined).add(new CallItem(publication, some, router));
    }
    return true;
  }

  close(): void {
    this.#channel.close();
  }

  #pipeline(slot: string | undefined): PublishPipeline {
    const name = slot ?? '';
    let pipeline = this.#pipelines.get(name);
    if (pipeline === undefined) {
      const calls = new PublishCalls(this.#connection.prefix, slot, this.#id, this.#recordTtlMs);
      pipeline = new PublishPipeline({ connection: this.#connection, channel: this.#channel }, calls, this.#listener);
      this.#pipelines.set(name, pipeline);
    }
    return pipeline;
  }
}
