import { randomBytes } from 'node:crypto';
import { Cluster, PreparedArguments, type RedisConnection } from '@millrace/redis';
import type { BrokerOptions } from '../broker-options.js';
import type { Router } from '../model/routing.js';
import { publishedKey, queueKeys, topologyKeys } from '../store/keys.js';
import { callConditions } from '../store/publish.js';
import type { Publication } from './publication.js';
import { maxQueues } from './publish-batch.js';
import { PublishChannel } from './publish-channel.js';
import { PublishEntry } from './publish-entry.js';
import { type LaneOwner, type LaneTarget, PublishLane } from './publish-lane.js';

/** A record must outlive every repetition of its call: the delivery timeout, plus what a dead connection may still deliver. */
const recordSlackMs = 60_000;

/** The lanes of a publisher: one on a single server; in a cluster one per slot of a queue, and one for messages without a queue. */
export class PublishLanes {
  readonly #connection: RedisConnection;
  readonly #options: BrokerOptions;
  readonly #owner: LaneOwner;
  readonly #channel: PublishChannel;
  readonly #isCluster: boolean;
  readonly #lanes = new Map<string, PublishLane>();
  /** Distinguishes the records of this publisher's calls from those of others. */
  readonly #id = randomBytes(6).toString('base64url');

  constructor(connection: RedisConnection, options: BrokerOptions, owner: LaneOwner) {
    this.#connection = connection;
    this.#options = options;
    this.#owner = owner;
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
      publication.outstanding = 1;
      this.#lane(undefined).add(new PublishEntry(publication, slots, router));
      return true;
    }
    const missing = slots.filter((slot) => !publication.hasReached(slot));
    const size = this.#isCluster ? 1 : maxQueues;
    publication.outstanding = Math.ceil(missing.length / size);
    for (let next = 0; next < missing.length; next += size) {
      const some = missing.slice(next, next + size);
      this.#lane(this.#isCluster ? some[0] : undefined).add(new PublishEntry(publication, some, router));
    }
    return missing.length > 0;
  }

  close(): void {
    this.#channel.close();
  }

  #lane(slot: string | undefined): PublishLane {
    const name = slot ?? '';
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      lane = new PublishLane({ connection: this.#connection, channel: this.#channel }, this.#target(slot), this.#owner);
      this.#lanes.set(name, lane);
    }
    return lane;
  }

  #target(slot: string | undefined): LaneTarget {
    const { prefix } = this.#connection;
    const versioned = slot === undefined ? topologyKeys(prefix).meta : queueKeys(prefix, slot).state;
    const versionField = slot === undefined ? 'version' : 'topology';
    const recordTtlMs = this.#options.deliveryTimeoutMs + recordSlackMs;
    return {
      keys: (place) => new PreparedArguments([versioned, publishedKey(prefix, slot, this.#id, place)]),
      conditions: (version) => callConditions(versionField, version, recordTtlMs),
    };
  }
}
