import { pause } from '@millrace/core';
import type { RedisConnection } from '@millrace/redis';
import { openConnections } from '../store/connections.js';
import { endRegistration } from '../store/departure.js';
import type { Colleague } from '../store/heartbeat.js';
import { queueKeys } from '../store/keys.js';
import type { ConsumerInfo } from '../store/registration.js';

/** A consumer that reconnects is back within this time and has said so: it is four times the first reconnect delay. */
const secondLookMs = 250;
/** After an outage all consumers reconnect: one that is not back immediately is not dead. */
const settlingMs = 3000;

/**
 * Sees that a consumer's process has died, long before its lease is over: a process that dies closes its sockets. A consumer
 * none of whose connections is open at two looks, and that did not report in between, is ended. A false alarm is
 * harmless: the consumer finds its registration gone and starts again, and its messages are delivered once more.
 */
export class PeerWatch {
  readonly #connection: RedisConnection;
  #isAllowed = true;
  #connectedAt = Number.NEGATIVE_INFINITY;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  /** This process has just connected again. */
  connected(monotonicNow: number): void {
    this.#connectedAt = monotonicNow;
  }

  /** Looks after the others; resolves to those that it ended. */
  async look(
    place: { readonly prefix: string; readonly queue: string; readonly priorities: number },
    server: string,
    colleagues: readonly Colleague[],
    monotonicNow: number,
  ): Promise<string[]> {
    if (!this.#isAllowed || server === '' || monotonicNow - this.#connectedAt < settlingMs) return [];
    const suspects = await this.#gone(
      place,
      colleagues.filter((colleague) => onServer(colleague, server)),
    );
    if (suspects.length === 0) return [];
    await pause(secondLookMs, { ref: false });
    const ended: string[] = [];
    for (const { consumer, deadline } of await this.#gone(place, suspects)) {
      if (await endRegistration(this.#connection.commands, place, consumer, deadline)) ended.push(consumer);
    }
    return ended;
  }

  async #gone(
    { prefix, queue }: { readonly prefix: string; readonly queue: string },
    colleagues: readonly Colleague[],
  ): Promise<Colleague[]> {
    if (colleagues.length === 0) return [];
    try {
      const { meta } = queueKeys(prefix, queue);
      const open = await openConnections(this.#connection.commands, meta, colleagues.flatMap(connectionsOf));
      if (open === undefined) return [];
      return colleagues.filter((colleague) => !connectionsOf(colleague).some((id) => open.has(id)));
    } catch (error) {
      // Not every Redis lets us ask: then leases alone tell who is dead.
      if (error instanceof Error && /NOPERM|unknown command|Unknown/i.test(error.message)) this.#isAllowed = false;
      return [];
    }
  }
}

function onServer(colleague: Colleague, server: string): boolean {
  return infoOf(colleague)?.server === server && connectionsOf(colleague).length > 0;
}

function connectionsOf(colleague: Colleague): readonly number[] {
  return infoOf(colleague)?.connections ?? [];
}

function infoOf({ info }: Colleague): ConsumerInfo | undefined {
  try {
    return JSON.parse(info) as ConsumerInfo;
  } catch {
    return undefined;
  }
}
