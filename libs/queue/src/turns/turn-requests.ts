import type { RedisClient } from '@millrace/redis';
import { planTurn, planTurnAhead, type TurnNeeds, type TurnPlan } from '../model/turn-plan.js';
import type { ConsumerKeys } from '../store/consumer-keys.js';
import { moveDue } from '../store/due.js';
import { runSettleCommands } from '../store/settle.js';
import { type TurnResult, turn } from '../store/turn.js';
import type { DueTimer } from './due-timer.js';
import type { Outbox, OutboxBatch } from './outbox.js';
import type { TurnContext } from './turn-context.js';
import type { TurnNumbers } from './turn-numbers.js';

/** A turn that was sent. */
export interface SentTurn {
  readonly plan: TurnPlan;
  readonly batch: OutboxBatch;
  /** The limit of bytes: fewer messages than wanted may come because of it. */
  readonly maxBytes: number | undefined;
  /** By the monotonic clock: the renewed lease counts from then. */
  readonly sentAt: number;
  readonly answer: Promise<TurnAnswer>;
}

/** The replies of Redis to a turn. */
export interface TurnAnswer {
  /** Entries that had a settle command and did not belong to this consumer; undefined when its registration is gone. */
  readonly notSettled: readonly string[] | undefined;
  /** Undefined when the registration is gone. */
  readonly result: TurnResult | undefined;
  /** Whether expired messages became dead letters. */
  readonly hasDied: boolean;
}

/** What the requests of turns are made of. */
export interface TurnRequestParts {
  /** Each turn renews the lease for this time. */
  readonly leaseMs: number;
  readonly buffer: TurnContext;
  readonly outbox: Outbox;
  readonly numbers: TurnNumbers;
  readonly reconciliation: { readonly isAgreed: boolean };
  readonly outlook: { readonly hasBacklog: boolean };
  readonly due: DueTimer;
}

/** Sends turns as they are planned, at most two simultaneously, and knows which are under way. */
export class TurnRequests {
  readonly #parts: TurnRequestParts;
  /** The turn whose reply is awaited. */
  #current: SentTurn | undefined;
  /** A turn that was sent while the one before it was under way. */
  #behind: SentTurn | undefined;
  /** How many turns were sent. */
  #sent = 0;
  /** The consumer that the last wake-up named: if that is another one, it goes back to `idle` with the next turn. */
  #wakeUp = '';

  constructor(parts: TurnRequestParts) {
    this.#parts = parts;
  }

  /** How many messages may come that are not counted yet. */
  get asked(): number {
    return (this.#current?.plan.wanted ?? 0) + (this.#behind?.plan.wanted ?? 0);
  }

  /** Number of the last turn whose messages have arrived, or are ignored; turns are counted from 1. */
  get lastEnded(): number {
    return this.#sent - (this.#current === undefined ? 0 : 1) - (this.#behind === undefined ? 0 : 1);
  }

  /** Number of the last turn that may bring messages. One that asks for nothing brings none. */
  get lastAsking(): number {
    return this.asked === 0 ? this.lastEnded : this.#sent;
  }

  /** Whether there is a turn under way that `next` has not returned. */
  get isAhead(): boolean {
    return this.#behind !== undefined;
  }

  /** This consumer got the wake-up of another, or its own. */
  woken(consumer: string): void {
    this.#wakeUp = consumer;
  }

  /** The next turn, already sent or sent now; undefined when there is nothing to send or to ask for. Another may be sent behind it. */
  next(client: RedisClient, keys: ConsumerKeys): SentTurn | undefined {
    const sent = this.#behind ?? this.#send(client, keys, planTurn(this.#needs()));
    this.#behind = sent && this.#send(client, keys, planTurnAhead(this.#needs(sent.plan), sent.plan));
    this.#current = sent;
    return sent;
  }

  /** The turn that `next` returned has ended, and its messages have arrived. */
  ended(): void {
    this.#current = undefined;
  }

  /** Redis has confirmed what a turn sent. */
  confirmed({ plan, batch }: SentTurn): void {
    this.#parts.outbox.confirmed(batch);
    if (this.#wakeUp === plan.wakeUp) this.#wakeUp = '';
    // What became due since it was sent is left for the next.
    if (plan.movesDue) this.#parts.due.isDue = false;
  }

  /** Ignores the turns under way. Resolves when Redis has replied. */
  async forget(): Promise<void> {
    const behind = this.#behind;
    this.#current = undefined;
    this.#behind = undefined;
    await behind?.answer.catch(() => undefined);
  }

  #needs(before?: TurnPlan): TurnNeeds {
    const { buffer, outbox, due, outlook, reconciliation } = this.#parts;
    return {
      room: buffer.wanted(),
      held: buffer.count,
      fetchSize: buffer.fetchSize,
      pending: outbox.pending(before?.acknowledgements ?? 0),
      wakeUp: this.#wakeUp,
      isDue: due.isDue,
      hasBacklog: outlook.hasBacklog,
      mayAskAhead: buffer.mayAskAhead,
      isAgreed: reconciliation.isAgreed,
    };
  }

  #send(client: RedisClient, keys: ConsumerKeys, plan: TurnPlan | undefined): SentTurn | undefined {
    if (plan === undefined) return undefined;
    const { leaseMs, buffer, outbox, numbers } = this.#parts;
    const { wanted, known, wakeUp } = plan;
    const { maxBytes } = buffer;
    const batch = outbox.batch(plan);
    const { claimed, acknowledged, settleCommands } = batch;
    const number = numbers.next();
    const sentAt = performance.now();
    this.#sent++;
    const completions = batch.completions.map(({ startedAt, result }) => ({
      elapsedMs: startedAt === undefined ? undefined : sentAt - startedAt,
      result,
    }));
    // Sent in this order on one connection: one round trip.
    const settled = settleCommands.length === 0 ? [] : runSettleCommands(client, keys, settleCommands);
    const moved = plan.movesDue ? moveDue(client, keys.all, keys.priorities) : undefined;
    const request = { wanted, maxBytes, wakeUp, known, leaseMs, number, claimed, acknowledged, completions };
    const taken = turn(client, keys, request);
    const answer = Promise.all([settled, taken, moved]).then(([notSettled, result, due]) => ({
      notSettled,
      result,
      hasDied: due?.hasDied === true,
    }));
    // Its caller handles a failure, if there still is one.
    answer.catch(() => undefined);
    return { plan, batch, maxBytes, sentAt, answer };
  }
}
