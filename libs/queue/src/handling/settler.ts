import { describeFailure } from '@millrace/core';
import type { HandlerLabels } from '@millrace/delivery';
import { type Completion, resultToKeep } from '../model/completion.js';
import type { WhyDead } from '../model/dead-letter.js';
import { countDeliveries, incrementOf } from '../model/deliveries.js';
import type { Handled } from '../model/handled.js';
import type { KeptResult } from '../model/kept-result.js';
import { keepResult } from '../store/job.js';
import type { HandlingContext } from './handling-context.js';
import type { HandlingOptions } from './handling-options.js';
import type { HeldMessage, MessageOrigin } from './held-message.js';
import type { MessageBuffer } from './message-buffer.js';
import type { MessageSettlement } from './message-settlement.js';

export interface SettlerListener {
  /** A message from this shard has ended: there is room for another. */
  settled(origin: MessageOrigin): void;
}

/** Carries settlements out: the only place where a consumer decides what happens to a message in Redis. */
export class Settler {
  readonly #keepResultMs: number;
  readonly #context: HandlingContext;
  readonly #buffer: Pick<MessageBuffer, 'remove'>;
  readonly #listener: SettlerListener;

  constructor(
    { keepResultMs }: Pick<HandlingOptions, 'keepResultMs'>,
    context: HandlingContext,
    buffer: Pick<MessageBuffer, 'remove'>,
    listener: SettlerListener,
  ) {
    this.#keepResultMs = keepResultMs;
    this.#context = context;
    this.#buffer = buffer;
    this.#listener = listener;
  }

  /** Settles a message that is held. Does nothing when the message was lost with its lease. */
  settle(held: HeldMessage, settlement: MessageSettlement, labels: HandlerLabels, handled?: Handled): void {
    if (this.#buffer.remove(held)) this.#carryOut(held, settlement, labels, handled);
    this.#listener.settled(held.origin);
  }

  /** Gives back messages that were taken out of the buffer before they ran. */
  giveBack(messages: readonly HeldMessage[]): void {
    // Each goes to the head of the queue: the first one last, so that it is first again.
    for (const held of messages.toReversed()) this.#carryOut(held, { kind: 'release' }, this.#context.labels);
  }

  /** Ends a message that was cancelled, and taken out of the buffer, before it ran. */
  drop(held: HeldMessage): void {
    this.#carryOut(held, { kind: 'drop', reason: 'cancelled' }, this.#context.labels);
  }

  #carryOut(held: HeldMessage, settlement: MessageSettlement, labels: HandlerLabels, handled?: Handled): void {
    const { id, messageId, priority } = held;
    const { outbox } = held.origin;
    switch (settlement.kind) {
      case 'complete':
        if (this.#keepResultMs > 0) void this.#keepResult(held, settlement.result);
        if (outbox.keepsCompleted) outbox.acknowledge(id, this.#completionOf(held, settlement.result));
        else outbox.acknowledge(id);
        break;
      case 'requeue':
        outbox.settle({ kind: settlement.to, id, priority });
        break;
      case 'release':
        // Handlers that are done with it are remembered; if there are none, it returns to its place in the queue.
        if (handled === undefined) outbox.settle({ kind: 'release', id, priority });
        else retry(held, 0, 0, handled);
        break;
      case 'retry': {
        const { delayMs, countsAsAttempt, error } = settlement;
        if (countsAsAttempt) {
          const attempt = held.deliveries.failures + 1;
          this.#context.events.emit('retry-scheduled', {
            ...labels,
            messageId,
            attempt,
            delayMs,
            error,
          });
        }
        retry(held, delayMs, incrementOf(countsAsAttempt ? 'failed' : 'postponed', held.deliveries), handled);
        break;
      }
      case 'dead-letter': {
        const { reason, error } = settlement;
        this.#context.events.emit('dead-lettered', { ...labels, messageId, reason, error });
        const why: WhyDead = { reason, time: Date.now(), handler: labels.handler, error: describeFailure(error) };
        outbox.settle({ kind: 'dead', id, why: JSON.stringify(why) });
        break;
      }
      case 'drop':
        outbox.settle({ kind: 'drop', id });
        break;
      case 'park': {
        const { reason, error } = settlement;
        this.#context.events.emit('parked', { source: labels.source, messageId, reason, error });
        outbox.settle({ kind: 'park', id });
        break;
      }
      default:
        settlement satisfies never;
    }
  }

  /** What is kept with a completed message, in a queue that keeps them. */
  #completionOf({ startedAt, messageId }: HeldMessage, value: unknown): Completion {
    try {
      return { startedAt, result: resultToKeep(value) };
    } catch (error) {
      this.#context.events.emit('background-error', { duty: `result of message ${messageId}`, error });
      return { startedAt, result: '' };
    }
  }

  /** Sent before the acknowledgement, on the same connection: once the message is gone, its result is there. */
  async #keepResult({ id: entry, messageId, deliveries, origin }: HeldMessage, value: unknown): Promise<void> {
    const { connection, events } = this.#context;
    const kept: KeptResult = { attempt: deliveries.failures + 1, deliveryCount: countDeliveries(deliveries), value };
    const { keys } = origin;
    if (keys === undefined) return;
    try {
      // JSON may not be able to hold a result (circular, a BigInt). The message is completed all the same.
      const json = JSON.stringify(kept);
      await keepResult(connection.commands, keys, { entry, messageId }, json, this.#keepResultMs);
    } catch (error) {
      events.emit('background-error', { duty: `result of message ${messageId}`, error });
    }
  }
}

function retry({ id, origin }: HeldMessage, delayMs: number, increment: number, handled: Handled | undefined): void {
  const json = handled === undefined ? '' : JSON.stringify(handled);
  origin.outbox.settle({ kind: 'retry', id, delayMs, increment, handled: json });
}
