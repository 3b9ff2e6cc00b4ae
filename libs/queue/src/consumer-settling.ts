import { describeFailure, type Outcome, type RetryPolicy, type Settlement, settle } from '@millrace/core';
import type { Events, HandlerLabels } from '@millrace/delivery';
import type { ConsumerTurns } from './consumer-turns.js';
import type { HeldMessage } from './held-message.js';
import type { WhyDead } from './model/dead-letter.js';
import { deliveryIncrement } from './model/deliveries.js';
import type { Handled } from './model/handled.js';
import { Requeue } from './requeue.js';

/** What a consumer does with one message, settled by core's rules or given back by its handler. */
export type MessageSettlement = Settlement | { readonly kind: 'requeue'; readonly to: 'back' | 'head' };

/** Maps what a handler did to what is to happen. */
export function settlementOf(
  held: HeldMessage,
  outcome: Outcome,
  retry: RetryPolicy,
  deliveryLimit: number,
): MessageSettlement {
  if (held.isCancelled) return { kind: 'drop', reason: 'cancelled' };
  if (outcome.kind === 'failed' && outcome.error instanceof Requeue) {
    if (held.deliveries.returns < deliveryLimit) return { kind: 'requeue', to: outcome.error.to };
    return { kind: 'dead-letter', reason: 'delivery_limit', error: outcome.error };
  }
  return settle(outcome, held.deliveries.failures + 1, retry, Math.random());
}

/** Carries settlements out: the one place where a consumer decides what Redis is told of a message. */
export class ConsumerSettling {
  readonly #turns: ConsumerTurns;
  readonly #events: Events;

  constructor(turns: ConsumerTurns, events: Events) {
    this.#turns = turns;
    this.#events = events;
  }

  settle(held: HeldMessage, settlement: MessageSettlement, labels: HandlerLabels, handled?: Handled): void {
    const { id } = held;
    const priority = held.priority;
    switch (settlement.kind) {
      case 'complete':
        this.#turns.acknowledge(id);
        break;
      case 'requeue':
        this.#turns.judge({ kind: settlement.to, id, priority });
        break;
      case 'release':
        // Handlers that are through with it are remembered; without any it stands again where it stood.
        if (handled === undefined) this.#turns.judge({ kind: 'release', id, priority });
        else this.#retry(held, 0, 0, handled);
        break;
      case 'retry': {
        const { delayMs, countsAsAttempt, error } = settlement;
        const attempt = held.deliveries.failures + 1;
        if (countsAsAttempt) this.#events.emit('retry-scheduled', { ...labels, attempt, delayMs, error });
        const { failed, postponed } = deliveryIncrement;
        this.#retry(held, delayMs, countsAsAttempt ? failed : postponed, handled);
        break;
      }
      case 'dead-letter': {
        const { reason, error } = settlement;
        this.#events.emit('dead-lettered', { ...labels, reason, error });
        const why: WhyDead = { reason, time: Date.now(), handler: labels.handler, error: describeFailure(error) };
        this.#turns.judge({ kind: 'dead', id, why: JSON.stringify(why) });
        break;
      }
      case 'drop':
        this.#turns.judge({ kind: 'drop', id });
        break;
      default:
        settlement satisfies never;
    }
  }

  #retry(held: HeldMessage, delayMs: number, increment: number, handled: Handled | undefined): void {
    const json = handled === undefined ? '' : JSON.stringify(handled);
    this.#turns.judge({ kind: 'retry', id: held.id, delayMs, increment, handled: json });
  }
}
