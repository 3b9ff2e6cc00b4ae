import { Fifo } from '@millrace/core';
import type { RedisClient } from '@millrace/redis';
import type { ConsumerKeys } from '../store/consumer-keys.js';
import { heldMessages } from '../store/held.js';
import type { TurnNumber } from '../store/turn.js';
import type { Outbox } from './outbox.js';
import type { TurnContext } from './turn-context.js';

const noIds: ReadonlySet<string> = new Set();

/**
 * Whether Redis may have something else down as a consumer's than the consumer knows. That is so after a turn that failed,
 * which may have been carried out; and after a failover to a replica that was behind, which undoes what had been answered:
 * messages that were acknowledged are this consumer's again.
 */
export class Reconciliation {
  readonly #user: TurnContext;
  readonly #outbox: Outbox;
  #isThere = false;
  /** Messages whose verdict may have been carried out by a turn that failed. */
  #perhapsSettled = noIds;
  #turnNumber = 0;
  /** The turn of that number is the last that Redis was asked for, and nothing is known to have gone wrong since. */
  #isSequel = false;

  constructor(user: TurnContext, outbox: Outbox) {
    this.#user = user;
    this.#outbox = outbox;
  }

  get isThere(): boolean {
    return this.#isThere;
  }

  /** The number of the turn that is sent now. */
  nextTurn(): TurnNumber {
    const before = this.#isSequel ? this.#turnNumber : '';
    this.#turnNumber = (this.#turnNumber % 999) + 1;
    this.#isSequel = true;
    return { own: this.#turnNumber, before };
  }

  arise(): void {
    this.#isThere = true;
    this.#isSequel = false;
  }

  /** A registration is new: nothing is down under it. */
  clear(): void {
    this.#isThere = false;
    this.#perhapsSettled = noIds;
    this.#isSequel = false;
  }

  /**
   * Takes on what Redis has down as this consumer's, while no turn is under way; what has no message any more is let go.
   * Resolves to the ids of what it took on.
   */
  async dispel(client: RedisClient, keys: ConsumerKeys, isCurrent: () => boolean): Promise<readonly string[]> {
    const pending = this.#outbox.ids();
    // As it is now: what ends while Redis answers would be neither held nor among what is pending, and be taken again.
    const held = this.#user.heldIds();
    const isUnknown = (id: string): boolean => !pending.has(id) && !held.has(id);
    const { found, gone } = await heldMessages(client, keys, isUnknown);
    if (!isCurrent()) return [];
    const ids = found.map(({ id }) => id);
    for (const id of gone) this.#outbox.acknowledge(id);
    if (found.length > 0) this.#user.take(new Fifo(found));
    this.#isThere = false;
    this.#perhapsSettled = pending;
    return ids;
  }

  /** Of what Redis does not have down as this consumer's, that which the consumer cannot have settled itself. */
  strangersAmong(ids: readonly string[]): readonly string[] {
    return this.#perhapsSettled.size === 0 ? ids : ids.filter((id) => !this.#perhapsSettled.has(id));
  }

  /** A turn was answered: from here on the consumer knows what it settled. */
  answered(): void {
    this.#perhapsSettled = noIds;
  }
}
