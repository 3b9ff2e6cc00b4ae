import type { RedisClient } from '@millrace/redis';
import type { ConsumerKeys } from '../store/consumer-keys.js';
import { moveDue } from '../store/due.js';
import { settleVerdicts } from '../store/settle.js';
import { maxTurnMessages, type TurnResult, turn } from '../store/turn.js';
import type { DueTimer } from './due-timer.js';
import type { Outbox, OutboxBatch } from './outbox.js';
import type { TurnContext } from './turn-context.js';
import type { TurnNumbers } from './turn-numbers.js';

/** A turn that was sent. */
export interface SentTurn {
  readonly batch: OutboxBatch;
  readonly wanted: number;
  /** More bytes may not come, even if fewer messages do than are wanted. */
  readonly maxBytes: number | undefined;
  readonly wakeUp: string;
  /** By the monotonic clock: from then on the lease that it renews lasts. */
  readonly sentAt: number;
  /** What became of the verdicts and of the turn, undefined when the registration is gone; and whether what had expired died. */
  readonly answer: Promise<readonly [readonly string[] | undefined, TurnResult | undefined, boolean]>;
}

/** What the requests of turns are made of. */
export interface TurnRequestParts {
  /** For so long each turn renews the lease. */
  readonly leaseMs: number;
  readonly buffer: TurnContext;
  readonly outbox: Outbox;
  readonly numbers: TurnNumbers;
  readonly reconciliation: { readonly isNeeded: boolean };
  readonly due: DueTimer;
}

/** Puts turns together out of what a consumer has settled and has room for, and sends them. */
export class TurnRequests {
  readonly #parts: TurnRequestParts;
  /** The turn whose answer is waited for. */
  #current: SentTurn | undefined;
  /** A turn that was sent while the one before it was under way. */
  #behind: SentTurn | undefined;
  /** How many turns were sent. */
  #sent = 0;

  constructor(parts: TurnRequestParts) {
    this.#parts = parts;
  }

  /** How many messages may come that are not counted yet. */
  get asked(): number {
    return (this.#current?.wanted ?? 0) + (this.#behind?.wanted ?? 0);
  }

  /** Number of the last turn that was sent, counted from 1. */
  get lastSent(): number {
    return this.#sent;
  }

  /** Number of the last turn that brought what it brought, or is of no concern any more. */
  get lastEnded(): number {
    return this.#sent - (this.#current === undefined ? 0 : 1) - (this.#behind === undefined ? 0 : 1);
  }

  /** Whether there is a turn under way that `next` has not returned. */
  get isAhead(): boolean {
    return this.#behind !== undefined;
  }

  /**
   * The next turn, sent already or now; undefined when there is nothing to bring or to ask for.
   *
   * @param hasBacklog many messages wait: then another is sent behind it, so that Redis works while its answer is read
   */
  next(client: RedisClient, keys: ConsumerKeys, wakeUp: string, hasBacklog: boolean): SentTurn | undefined {
    const sent = this.#behind ?? this.#first(client, keys, wakeUp);
    this.#behind = sent !== undefined && hasBacklog ? this.#another(client, keys, sent) : undefined;
    this.#current = sent;
    return sent;
  }

  /** The turn that `next` returned has brought what it brought. */
  ended(): void {
    this.#current = undefined;
  }

  /** What is under way is of no concern any more. Resolves when Redis has answered. */
  async forget(): Promise<void> {
    const behind = this.#behind;
    this.#current = undefined;
    this.#behind = undefined;
    await behind?.answer.catch(() => undefined);
  }

  #first(client: RedisClient, keys: ConsumerKeys, wakeUp: string): SentTurn | undefined {
    const { buffer, outbox, due } = this.#parts;
    const room = buffer.wanted();
    if (room === 0 && outbox.isEmpty && wakeUp === '' && !due.isDue) return undefined;
    const batch = outbox.next();
    const stillHeld = outbox.stillHeldWith(batch);
    const wanted = Math.min(Math.max(0, room - stillHeld), buffer.portion, maxTurnMessages);
    return this.#send(client, keys, { batch, wanted, wakeUp, known: buffer.count + stillHeld });
  }

  /** Only for a full portion, and while there is nothing to settle but acknowledgements, which do not depend on any reply. */
  #another(client: RedisClient, keys: ConsumerKeys, { batch: before, wanted: coming }: SentTurn): SentTurn | undefined {
    const { buffer, outbox, due, reconciliation } = this.#parts;
    if (!buffer.mayAskAhead || !outbox.isPlain || due.isDue || reconciliation.isNeeded) return undefined;
    const sent = before.acknowledged.length;
    const batch = outbox.next(sent);
    const stillHeld = outbox.stillHeldWith(batch, sent);
    const wanted = Math.min(buffer.portion, maxTurnMessages);
    if (buffer.wanted() - coming - stillHeld < wanted) return undefined;
    return this.#send(client, keys, { batch, wanted, wakeUp: '', known: buffer.count + coming + stillHeld });
  }

  #send(
    client: RedisClient,
    keys: ConsumerKeys,
    { batch, wanted, wakeUp, known }: Pick<SentTurn, 'batch' | 'wanted' | 'wakeUp'> & { readonly known: number },
  ): SentTurn {
    const { verdicts, claimed, acknowledged } = batch;
    const { leaseMs, buffer, numbers, due } = this.#parts;
    const { maxBytes } = buffer;
    const number = numbers.next();
    const sentAt = performance.now();
    this.#sent++;
    const completions = batch.completions.map(({ startedAt, result }) => ({
      elapsedMs: startedAt === undefined ? undefined : sentAt - startedAt,
      result,
    }));
    // Sent in this order on one connection: one round trip.
    const settled = verdicts.length === 0 ? [] : settleVerdicts(client, keys, verdicts);
    const moved = due.isDue ? moveDue(client, keys.all, keys.priorities) : undefined;
    const request = { wanted, maxBytes, wakeUp, known, leaseMs, number, claimed, acknowledged, completions };
    const taken = turn(client, keys, request);
    const answer = Promise.all([settled, taken, moved]).then(
      ([verdict, result, movedDue]) => [verdict, result, movedDue?.hasDied === true] as const,
    );
    // Its caller handles a failure, if there still is one.
    answer.catch(() => undefined);
    return { batch, wanted, maxBytes, wakeUp, sentAt, answer };
  }
}
