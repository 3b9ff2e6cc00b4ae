import { Fifo } from '@millrace/core';
import type { RedisClient } from '@millrace/redis';
import type { ConsumerKeys } from '../store/consumer-keys.js';
import { heldMessages } from '../store/held.js';
import type { Outbox } from './outbox.js';
import type { TurnContext } from './turn-context.js';
import type { TurnNumbers } from './turn-numbers.js';

type ReconciliationState =
  | { readonly kind: 'agreed' }
  | { readonly kind: 'needed' }
  /** Messages whose settle command may have been executed by a turn that failed. */
  | { readonly kind: 'reconciled'; readonly perhapsSettled: ReadonlySet<string> };

const agreed: ReconciliationState = { kind: 'agreed' };
const needed: ReconciliationState = { kind: 'needed' };

/**
 * Reconciles what a consumer believes it holds with what Redis holds for it.
 *
 *     agreed ──require──▶ needed ──reconcile──▶ reconciled ──answered──▶ agreed
 *                            ▲                      │
 *                            └───────require────────┘          any ──restart──▶ agreed
 *
 * It is required after a turn that failed, which may have been executed; and after a failover to a replica that was behind, which undoes
 * what was confirmed: acknowledged messages belong to this consumer again, and messages that were taken do not. Once reconciled, a
 * settle command that Redis refuses may be one that it executed before. The two agree when the last such settle command has its reply; until then each
 * turn sends everything without relying on the one before it.
 */
export class Reconciliation {
  readonly #context: Pick<TurnContext, 'ids' | 'count' | 'take'>;
  readonly #outbox: Outbox;
  readonly #numbers: TurnNumbers;
  #state = agreed;

  constructor(context: Pick<TurnContext, 'ids' | 'count' | 'take'>, outbox: Outbox, numbers: TurnNumbers) {
    this.#context = context;
    this.#outbox = outbox;
    this.#numbers = numbers;
  }

  get isNeeded(): boolean {
    return this.#state.kind === 'needed';
  }

  /** Whether no pending settle command may have been executed before. */
  get isAgreed(): boolean {
    return this.#state.kind === 'agreed';
  }

  /** Redis holds this many messages for this consumer. Returns whether these are more than it knows of. */
  compare(held: number): boolean {
    if (held <= this.#context.count + this.#outbox.ids().size) return false;
    this.require();
    return true;
  }

  /** Redis may hold other messages for this consumer than it knows of. */
  require(): void {
    this.#state = needed;
    this.#numbers.breakOff();
  }

  /** A registration is new: Redis holds nothing under it. */
  restart(): void {
    this.#state = agreed;
    this.#numbers.breakOff();
  }

  /**
   * Takes what Redis holds for this consumer, while no turn is under way; acknowledges ids that no longer have a message. Resolves to
   * the ids of what it took, and of what it has that Redis does not hold for it.
   *
   * @param isCurrent whether the registration is still the one that was asked about
   */
  async reconcile(
    client: RedisClient,
    keys: ConsumerKeys,
    isCurrent: () => boolean,
  ): Promise<{ readonly taken: readonly string[]; readonly lost: readonly string[] }> {
    const pending = this.#outbox.ids();
    // The present ids: a message that ends while Redis replies would be neither held nor pending, and be taken again.
    const held = this.#context.ids();
    const isUnknown = (id: string): boolean => !pending.has(id) && !held.has(id);
    const { ids, found, gone } = await heldMessages(client, keys, isUnknown);
    if (!isCurrent()) return { taken: [], lost: [] };
    const stillHeld = this.#context.ids();
    const lost = [...held].filter((id) => stillHeld.has(id) && !pending.has(id) && !ids.has(id));
    for (const id of gone) this.#outbox.acknowledge(id);
    if (found.length > 0) this.#context.take(new Fifo(found));
    this.#state = { kind: 'reconciled', perhapsSettled: pending };
    return { taken: found.map(({ id }) => id), lost };
  }

  /** Of the ids that Redis does not hold for this consumer, those that the consumer cannot have settled itself. */
  lostAmong(ids: readonly string[]): readonly string[] {
    if (this.#state.kind !== 'reconciled') return ids;
    const { perhapsSettled } = this.#state;
    return ids.filter((id) => !perhapsSettled.has(id));
  }

  /** A turn got its reply. Settle commands that did not fit into it are sent with the next ones. */
  answered(): void {
    if (this.#state.kind !== 'reconciled') return;
    const { perhapsSettled } = this.#state;
    const isLeft = [...this.#outbox.ids()].some((id) => perhapsSettled.has(id));
    if (isLeft) this.#numbers.breakOff();
    else this.#state = agreed;
  }
}
