import type { HandlerLabels } from '@millrace/delivery';
import type { Handled } from '../model/handled.js';
import { noProperties } from '../model/message-frame.js';
import { isRequest } from '../model/reply-frame.js';
import type { RpcResponder } from '../rpc/rpc-responder.js';
import type { HeldMessage } from './held-message.js';
import type { RunnerListener } from './message-runner.js';
import type { MessageSettlement } from './settler.js';

/**
 * Settles messages whose handlers have ended. A request that failed is answered with its error first, and not retried: its requester
 * decides whether to send it again.
 */
export class Replies {
  readonly #responder: RpcResponder;
  readonly #user: Pick<RunnerListener, 'settle' | 'failed'>;

  constructor(responder: RpcResponder, user: Pick<RunnerListener, 'settle' | 'failed'>) {
    this.#responder = responder;
    this.#user = user;
  }

  /** A promise when an error is sent to the requester before. It never rejects. */
  settle(
    held: HeldMessage,
    settlement: MessageSettlement,
    labels: HandlerLabels,
    handled?: Handled,
  ): Promise<void> | undefined {
    if (isFailedRequest(held, settlement)) return this.#fail(held, settlement.error, labels);
    this.#user.settle(held, settlement, labels, handled);
    return undefined;
  }

  async #fail(held: HeldMessage, error: unknown, labels: HandlerLabels): Promise<void> {
    try {
      if (await held.origin.holds(held.id)) await this.#responder.fail(held.message?.properties ?? noProperties, error);
    } catch (failure) {
      // Without its reply the request is dropped all the same: its requester's time runs out.
      this.#user.failed(failure);
    }
    this.#user.settle(held, { kind: 'drop', reason: 'the requester has its error' }, labels);
  }
}

function isFailedRequest(
  { message }: HeldMessage,
  settlement: MessageSettlement,
): settlement is Extract<MessageSettlement, { kind: 'dead-letter' | 'retry' }> {
  const hasFailed = settlement.kind === 'dead-letter' || (settlement.kind === 'retry' && settlement.countsAsAttempt);
  return hasFailed && message !== undefined && isRequest(message);
}
