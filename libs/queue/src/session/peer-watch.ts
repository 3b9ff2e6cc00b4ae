import { pause } from '@millrace/core';
import type { RedisConnection } from '@millrace/redis';
import { openConnections } from '../store/connections.js';
import type { ConsumerKeys } from '../store/consumer-keys.js';
import { endRegistration } from '../store/departure.js';
import type { Heartbeat, Peer } from '../store/heartbeat.js';
import { queueKeys } from '../store/keys.js';
import type { ConsumerInfo } from '../store/registration.js';
import type { Introduction } from './introduction.js';

/** A consumer that reconnects is back within this time and has sent its introduction: four times the first reconnect delay. */
const secondLookMs = 250;
/** After an outage all consumers reconnect: one that is not back immediately is not dead. */
const settlingMs = 3000;

interface PeerPlace {
  readonly prefix: string;
  /** The shard. */
  readonly queue: string;
  readonly priorities: number;
}

/**
 * Watches the other consumers of a shard while its own is on duty: gives back the messages of those whose lease has expired, and notices
 * that a process has died long before its lease expires, since a process that dies closes its sockets. A consumer none of whose
 * connections is open at two looks, and that did not report in between, is ended. A false alarm is harmless: the consumer finds
 * its registration gone and starts again, and its messages are delivered again.
 */
export class PeerWatch {
  readonly #connection: RedisConnection;
  readonly #onError: (error: unknown) => void;
  #isAllowed = true;
  #isAttending = false;
  #connectedAt = Number.NEGATIVE_INFINITY;

  constructor(connection: RedisConnection, onError: (error: unknown) => void) {
    this.#connection = connection;
    this.#onError = onError;
  }

  /** This process has just connected again. */
  connected(monotonicNow: number): void {
    this.#connectedAt = monotonicNow;
  }

  /**
   * Ends the consumers that are dead. It is not awaited: a large number of messages must not cost the consumer on duty its own lease.
   *
   * @param introduction of this consumer, which names the server of its connections
   */
  attend(
    keys: ConsumerKeys,
    introduction: Pick<Introduction, 'server' | 'isStale'>,
    { dead, colleagues }: NonNullable<Heartbeat['duty']>,
  ): void {
    if (this.#isAttending) return;
    this.#isAttending = true;
    const place = { prefix: keys.prefix, queue: keys.queue, priorities: keys.priorities };
    const peers = colleagues.filter(({ consumer }) => consumer !== keys.consumer);
    const attend = async (): Promise<void> => {
      for (const consumer of dead) await endRegistration(this.#connection.commands, place, consumer, 'expired');
      await this.#look(place, introduction, peers);
    };
    attend()
      .catch(this.#onError)
      .finally(() => {
        this.#isAttending = false;
      });
  }

  async #look(
    place: PeerPlace,
    introduction: Pick<Introduction, 'server' | 'isStale'>,
    peers: readonly Peer[],
  ): Promise<void> {
    const { server } = introduction;
    const isSettled = performance.now() - this.#connectedAt >= settlingMs;
    if (!this.#isAllowed || server === '' || !isSettled) return;
    const suspects = await this.#gone(
      place,
      introduction,
      peers.filter((peer) => onServer(peer, server)),
    );
    if (suspects.length === 0) return;
    await pause(secondLookMs, { ref: false });
    for (const { consumer, deadline } of await this.#gone(place, introduction, suspects))
      await endRegistration(this.#connection.commands, place, consumer, deadline);
  }

  /** The peers none of whose connections is open. Empty while the shard may be on another server than their introductions say. */
  async #gone(
    { prefix, queue }: PeerPlace,
    introduction: Pick<Introduction, 'isStale'>,
    peers: readonly Peer[],
  ): Promise<Peer[]> {
    if (peers.length === 0) return [];
    try {
      const { state } = queueKeys(prefix, queue);
      const open = await openConnections(this.#connection.commands, state, peers.flatMap(connectionsOf));
      if (open === undefined || introduction.isStale) return [];
      return peers.filter((peer) => !connectionsOf(peer).some((id) => open.has(id)));
    } catch (error) {
      // Not every Redis user may ask: then only leases show which peers are dead.
      if (error instanceof Error && /NOPERM|unknown command|Unknown/i.test(error.message)) this.#isAllowed = false;
      return [];
    }
  }
}

function onServer(peer: Peer, server: string): boolean {
  return infoOf(peer)?.server === server && connectionsOf(peer).length > 0;
}

function connectionsOf(peer: Peer): readonly number[] {
  return infoOf(peer)?.connections ?? [];
}

/** No consumer has more connections. */
const mostConnections = 100;

/** Undefined for invalid data: then only its lease shows whether it is dead. */
function infoOf({ info }: Peer): Pick<ConsumerInfo, 'server' | 'connections'> | undefined {
  try {
    const value: unknown = JSON.parse(info);
    if (typeof value !== 'object' || value === null) return undefined;
    const { server, connections }: Partial<ConsumerInfo> = value;
    const isKnown = typeof server === 'string' && Array.isArray(connections) && connections.length <= mostConnections;
    return isKnown && connections.every(Number.isSafeInteger) ? { server, connections } : undefined;
  } catch {
    return undefined;
  }
}
