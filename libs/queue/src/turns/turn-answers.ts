import type { TurnResult } from '../store/turn.js';
import type { DueTimer } from './due-timer.js';
import type { Offers } from './offers.js';
import { type Outbox, soonest } from './outbox.js';
import type { QueueOutlook } from './queue-outlook.js';
import type { Reconciliation } from './reconciliation.js';
import type { TurnContext, TurnListener } from './turn-context.js';
import type { SentTurn, TurnAnswer, TurnRequests } from './turn-requests.js';

/** The parts that learn from the replies to turns. */
export interface TurnAnswerParts {
  readonly buffer: TurnContext;
  readonly outbox: Outbox;
  readonly listener: TurnListener;
  readonly outlook: QueueOutlook;
  readonly offers: Offers;
  readonly due: DueTimer;
  readonly reconciliation: Reconciliation;
  readonly requests: Pick<TurnRequests, 'confirmed'>;
}

/** Applies the replies to a consumer's turns to what it holds, and to its next turn. */
export class TurnAnswers {
  readonly #parts: TurnAnswerParts;

  constructor(parts: TurnAnswerParts) {
    this.#parts = parts;
  }

  /** Returns whether another turn should follow. */
  read(sent: SentTurn, { notSettled, result, hasDied }: TurnAnswer): boolean {
    const { requests, listener } = this.#parts;
    if (notSettled === undefined || result === undefined) {
      listener.lostRegistration();
      return false;
    }
    requests.confirmed(sent);
    this.#learnLosses(sent, [...result.notMine, ...notSettled]);
    const goesOn = this.#goOn(sent, result);
    if (hasDied || sent.batch.settleCommands.some(({ kind }) => kind === 'dead')) listener.died();
    return goesOn;
  }

  #learnLosses({ batch: { acknowledged } }: SentTurn, notMine: readonly string[]): void {
    const { reconciliation, listener } = this.#parts;
    const lost = reconciliation.lostAmong(notMine);
    reconciliation.answered();
    listener.acknowledged(acknowledged.length - lost.filter((id) => acknowledged.includes(id)).length);
    if (lost.length > 0) listener.lostMessages(lost);
  }

  #goOn({ plan, batch, maxBytes, sentAt }: SentTurn, result: TurnResult): boolean {
    const { buffer, outbox, listener, outlook, offers, due, reconciliation } = this.#parts;
    const { taken, state, takenOver, unknown, now, isAlone, keepsCompleted } = result;
    const dueInMs = soonest(result.dueInMs, batch.settleCommands);
    outbox.keepsCompleted = keepsCompleted;
    offers.readTime(now, performance.now());
    // With a limit of bytes, fewer may have come than there are.
    const expected = maxBytes !== undefined && taken.size > 0 ? taken.size : plan.wanted;
    outlook.turned({ taken, state, dueInMs }, expected);
    due.set(dueInMs);
    if (takenOver > 0) offers.tookOver(takenOver);
    if (taken.size > 0) buffer.take(taken);
    if (unknown > 0) reconciliation.require();
    listener.turnEnded(isAlone, sentAt);
    const mayBringMore = outlook.mayHaveMore && buffer.wanted() > 0;
    return unknown > 0 || !outbox.isEmpty || mayBringMore;
  }
}
