import {
  type CallbackReport,
  describeFailure,
  isInstance,
  type Outcome,
  type RetryPolicy,
  type Settlement,
  settle,
} from '@millrace/core';
import type { HandlerLabels } from '@millrace/delivery';
import type { ConsumerContext } from '../consumer/consumer-context.js';
import type { ConsumerOptions } from '../consumer/consumer-options.js';
import { publishedId, type WhyDead } from '../model/dead-letter.js';
import { countDeliveries, deliveryIncrement } from '../model/deliveries.js';
import type { Handled } from '../model/handled.js';
import type { KeptResult } from '../queue-handle.js';
import type { ConsumerKeys } from '../store/consumer-keys.js';
import { keepResult } from '../store/job.js';
import type { ShardTurns } from '../turns/shard-turns.js';
import type { HeldMessage } from './held-message.js';
import { Requeue } from './requeue.js';

/** What a consumer does with one message, settled by core's rules or given back by its handler. */
export type MessageSettlement = Settlement | { readonly kind: 'requeue'; readonly to: 'back' | 'head' };

/** Maps what a handler did to what is to happen. `report` takes what functions of its retry policy did wrong. */
export function settlementOf(
  held: HeldMessage,
  outcome: Outcome,
  retry: RetryPolicy,
  report: CallbackReport,
): MessageSettlement {
  if (held.isCancelled) return { kind: 'drop', reason: 'cancelled' };
  if (outcome.kind === 'failed' && isInstance(outcome.error, Requeue)) {
    return { kind: 'requeue', to: outcome.error.to };
  }
  return settle(outcome, held.deliveries.failures + 1, policyFor(held, retry), Math.random(), report);
}

/** What the publisher said goes first. */
function policyFor({ message }: HeldMessage, policy: RetryPolicy): RetryPolicy {
  if (message?.properties.retry === undefined) return policy;
  const { maxRetries = policy.maxRetries, backoff = policy.backoff } = message.properties.retry;
  return { ...policy, maxRetries, backoff };
}

/** Carries settlements out: the one place where a consumer decides what becomes of a message in Redis. */
export class Settler {
  readonly #turns: ShardTurns;
  readonly #host: ConsumerContext;
  readonly #options: ConsumerOptions;
  readonly #session: { readonly keys: ConsumerKeys | undefined };

  constructor(
    turns: ShardTurns,
    host: ConsumerContext,
    options: ConsumerOptions,
    session: { readonly keys: ConsumerKeys | undefined },
  ) {
    this.#session = session;
    this.#turns = turns;
    this.#host = host;
    this.#options = options;
  }

  settle(held: HeldMessage, settlement: MessageSettlement, labels: HandlerLabels, handled?: Handled): void {
    const { id } = held;
    const priority = held.priority;
    switch (settlement.kind) {
      case 'complete':
        if (this.#options.keepResultMs > 0) void this.#keepResult(held, settlement.result);
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
        if (countsAsAttempt) {
          const attempt = held.deliveries.failures + 1;
          this.#host.events.emit('retry-scheduled', { ...labels, messageId: publishedId(id), attempt, delayMs, error });
        }
        const { failed, postponed } = deliveryIncrement;
        this.#retry(held, delayMs, countsAsAttempt ? failed : postponed, handled);
        break;
      }
      case 'dead-letter': {
        const { reason, error } = settlement;
        this.#host.events.emit('dead-lettered', { ...labels, messageId: publishedId(id), reason, error });
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

  /** Sent before the acknowledgement, on the same connection: a caller that finds the message gone finds its result. */
  async #keepResult({ id, deliveries }: HeldMessage, value: unknown): Promise<void> {
    const { connection, events } = this.#host;
    const { keepResultMs } = this.#options;
    const kept: KeptResult = { attempt: deliveries.failures + 1, deliveryCount: countDeliveries(deliveries), value };
    const { keys } = this.#session;
    if (keys === undefined) return;
    try {
      // A result may be anything: circular, a BigInt. The work is done all the same.
      const json = JSON.stringify(kept);
      await keepResult(connection.commands, keys, { id, publishedId: publishedId(id) }, json, keepResultMs);
    } catch (error) {
      events.emit('background-error', { duty: `result of message ${id}`, error });
    }
  }

  #retry(held: HeldMessage, delayMs: number, increment: number, handled: Handled | undefined): void {
    const json = handled === undefined ? '' : JSON.stringify(handled);
    this.#turns.judge({ kind: 'retry', id: held.id, delayMs, increment, handled: json });
  }
}
