import { Fifo, startTimer, stopTimer, type Timer } from '@millrace/core';
import type { RedisConnection } from '@millrace/redis';
import type { ConsumerKeys } from '../store/consumer-keys.js';
import { declineOffers } from '../store/offers.js';
import type { TurnResult } from '../store/turn.js';
import type { WakeUp } from '../store/wake.js';
import { DueTimer } from './due-timer.js';
import { Offers } from './offers.js';
import { type Outbox, soonest } from './outbox.js';
import { QueueOutlook } from './queue-outlook.js';
import { Reconciliation } from './reconciliation.js';
import type { TurnContext, TurnListener } from './turn-context.js';
import { TurnLoop } from './turn-loop.js';
import { TurnNumbers } from './turn-numbers.js';
import { type SentTurn, TurnRequests } from './turn-requests.js';

/** What the turns of one shard are made of. */
export interface ShardTurnsParts {
  readonly connection: RedisConnection;
  /** For so long each turn renews the lease. */
  readonly leaseMs: number;
  readonly buffer: TurnContext;
  /** Turns bring what is put in here to Redis. */
  readonly outbox: Outbox;
  readonly listener: TurnListener;
}

/**
 * Talks to Redis for a consumer at one shard, mostly one round trip at a time, which brings all verdicts since the last one, makes due
 * messages ready, and fetches as many as are wanted.
 */
export class ShardTurns {
  /** What the last turns have shown of the queue. */
  readonly outlook: Pick<QueueOutlook, 'state' | 'isHungry'>;
  readonly #connection: RedisConnection;
  readonly #buffer: TurnContext;
  readonly #outbox: Outbox;
  readonly #listener: TurnListener;
  readonly #loop: TurnLoop;
  readonly #outlook = new QueueOutlook();
  readonly #reconciliation: Reconciliation;
  readonly #offers = new Offers();
  readonly #due = new DueTimer(() => this.#ask());
  readonly #requests: TurnRequests;
  #keys: ConsumerKeys | undefined;
  /** The consumer that the last wake-up named: if that is another one, it goes back to `idle` with the next turn. */
  #wakeUp = '';

  constructor({ connection, leaseMs, buffer, outbox, listener }: ShardTurnsParts) {
    this.outlook = this.#outlook;
    this.#connection = connection;
    this.#buffer = buffer;
    this.#outbox = outbox;
    this.#listener = listener;
    this.#loop = new TurnLoop(connection, {
      mayTurn: () => this.#keys !== undefined,
      isAhead: () => this.#requests.isAhead,
      turn: () => this.#turn(),
      failed: (error) => listener.failed(error),
      rested: () => buffer.begin(),
    });
    const numbers = new TurnNumbers();
    const reconciliation = new Reconciliation(buffer, outbox, numbers);
    this.#reconciliation = reconciliation;
    this.#requests = new TurnRequests({ leaseMs, buffer, outbox, numbers, reconciliation, due: this.#due });
    outbox.onVerdict = () => this.#loop.nudge();
  }

  /** Begins (again) for a registration. What was waiting to be settled for an earlier one is void. */
  begin(keys: ConsumerKeys): void {
    this.#keys = keys;
    this.#outbox.clear();
    this.#reconciliation.restart();
    this.#offers.restart();
    void this.#requests.forget();
    this.nudge();
  }

  /** Makes no further turn until the next `begin`. */
  suspend(): void {
    this.#keys = undefined;
    this.#outlook.leftIdle();
  }

  /** Makes no further turn at all. */
  end(): void {
    this.#loop.end();
    this.#due.end();
  }

  /** Whether there may be messages for it: the last turn brought as many as were wanted, or it was woken since. */
  get isEager(): boolean {
    return this.#outlook.mayHaveMore && this.#keys !== undefined && !this.#loop.isRetrying;
  }

  /** Whether Redis has all verdicts, is asked for nothing, and agrees on what is this consumer's. */
  get isQuiet(): boolean {
    return this.#outbox.isEmpty && this.asked === 0 && !this.#reconciliation.isNeeded;
  }

  /** How many messages may be on their way. */
  get asked(): number {
    return this.#requests.asked;
  }

  /** Makes a turn if Redis has more messages as this consumer's, `held`, than it knows of. */
  compare(held: number): void {
    if (this.#loop.isRunning || held <= this.#buffer.count + this.#outbox.ids().size) return;
    this.#reconciliation.require();
    this.nudge();
  }

  /** This consumer was woken, or another in whose name it was, perhaps with a message: makes a turn. */
  woken({ consumer, offer }: WakeUp): void {
    this.#wakeUp = consumer;
    this.#outlook.leftIdle();
    // A turn that asks for nothing brings nothing.
    const afterTurn = this.asked === 0 ? this.#requests.lastEnded : this.#requests.lastSent;
    if (offer === undefined || this.#keys === undefined || this.#loop.isEnded || !this.#offers.add(offer, afterTurn)) {
      this.#ask();
      return;
    }
    this.#outlook.expect();
    this.#decideOffers(this.#keys);
  }

  /** There is something to take, or something that is due or has expired: makes a turn, whether or not there is room. */
  look(): void {
    this.#outlook.leftIdle();
    this.#due.isDue = true;
    this.#ask();
  }

  /** There may be messages: asks for a turn now, or when the one under way ends. */
  #ask(): void {
    this.#outlook.expect();
    this.#loop.now();
  }

  /** Asks for a turn at the end of this tick, or when the one under way ends. */
  nudge(): void {
    this.#loop.nudge();
  }

  /** Resolves when no turn is under way. */
  idle(): Promise<void> {
    return this.#loop.idle();
  }

  /** Settles what is waiting; false when Redis did not confirm it within the time. */
  async flush(deadlineMs: number): Promise<boolean> {
    let timer: Timer | undefined;
    const deadline = new Promise<boolean>((resolve) => {
      timer = startTimer(resolve, deadlineMs, true);
    });
    let isLate = false;
    while (!isLate && !this.#outbox.isEmpty && this.#keys !== undefined) {
      this.nudge();
      isLate = (await Promise.race([this.#loop.ran(), deadline])) === true;
    }
    stopTimer(timer);
    return this.#outbox.isEmpty;
  }

  async #turn(): Promise<void> {
    const keys = this.#keys;
    if (keys === undefined) return;
    try {
      await this.#turnFor(keys);
    } catch (error) {
      // What it brought, if it was carried out, is found when the two are reconciled.
      await this.#requests.forget();
      this.#reconciliation.require();
      this.#offers.restart();
      throw error;
    } finally {
      this.#decideOffers(keys);
    }
  }

  async #turnFor(keys: ConsumerKeys): Promise<void> {
    const client = this.#connection.commands;
    if (this.#reconciliation.isNeeded && !this.#requests.isAhead) {
      const { taken, lost } = await this.#reconciliation.reconcile(client, keys, () => this.#keys === keys);
      this.#offers.forget(taken);
      if (lost.length > 0) this.#listener.lostMessages(lost);
    }
    if (this.#keys !== keys) return;
    const sent = this.#requests.next(client, keys, this.#wakeUp, this.#outlook.hasBacklog);
    if (sent === undefined) return;
    // What the turn before this one brought is handled while Redis works on this one.
    this.#buffer.begin();
    const [settled, result, hasDied] = await sent.answer;
    this.#requests.ended();
    if (this.#keys !== keys) return;
    if (settled === undefined || result === undefined) return this.#listener.lostRegistration();
    this.#answered(sent, settled, result);
    if (hasDied || sent.batch.verdicts.some(({ kind }) => kind === 'dead')) this.#listener.died();
  }

  #answered(sent: SentTurn, settled: readonly string[], result: TurnResult): void {
    const { acknowledged, verdicts } = sent.batch;
    this.#outbox.confirmed(sent.batch);
    if (this.#wakeUp === sent.wakeUp) this.#wakeUp = '';
    this.#due.isDue = false;
    const lost = this.#reconciliation.lostAmong([...result.notMine, ...settled]);
    this.#reconciliation.answered();
    this.#listener.acknowledged(acknowledged.length - lost.filter((id) => acknowledged.includes(id)).length);
    if (lost.length > 0) this.#listener.lostMessages(lost);
    this.#goOn(verdicts.length === 0 ? result : { ...result, dueInMs: soonest(result.dueInMs, verdicts) }, sent);
  }

  #goOn(result: TurnResult, { wanted, maxBytes, sentAt }: SentTurn): void {
    const { taken, takenOver, unknown, dueInMs, now, isAlone, keepsCompleted } = result;
    this.#outbox.keepsCompleted = keepsCompleted;
    this.#offers.readTime(now);
    // Within a bound of bytes fewer may have come than there are.
    this.#outlook.turned(result, maxBytes !== undefined && taken.size > 0 ? taken.size : wanted);
    this.#due.set(dueInMs);
    if (takenOver > 0) this.#offers.tookOver(takenOver);
    if (taken.size > 0) this.#buffer.take(taken);
    if (unknown > 0) this.#reconciliation.require();
    this.#listener.turnEnded(isAlone, sentAt);
    const mayBringMore = this.#outlook.mayHaveMore && this.#buffer.wanted() > 0;
    if (unknown > 0 || !this.#outbox.isEmpty || mayBringMore) this.nudge();
  }

  /** Takes what was offered while there is room; the rest is for others, now. */
  #decideOffers(keys: ConsumerKeys): void {
    const offered = this.#offers.takeAfter(this.#requests.lastEnded);
    if (offered.length === 0) return;
    const declined: string[] = [];
    for (const message of offered) {
      if (declined.length > 0 || this.#keys !== keys || this.#buffer.wanted() <= this.asked) declined.push(message.id);
      else {
        this.#outbox.claim(message.id);
        this.#buffer.take(new Fifo([message]));
        this.#buffer.begin();
      }
    }
    if (declined.length > 0) {
      // A turn without room for anything wakes another consumer for it.
      this.#due.isDue = true;
      void declineOffers(this.#connection.commands, keys.all, declined);
    }
    this.nudge();
  }
}
