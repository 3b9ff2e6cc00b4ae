import type { ConsumerKeys } from '../store/consumer-keys.js';
import { declineOffers } from '../store/offers.js';
import type { WakeUp } from '../store/wake.js';
import { DueTimer } from './due-timer.js';
import { Offers } from './offers.js';
import { QueueOutlook } from './queue-outlook.js';
import { Reconciliation } from './reconciliation.js';
import { TurnAnswers } from './turn-answers.js';
import type { ShardTurnsParts } from './turn-context.js';
import { TurnLoop } from './turn-loop.js';
import { TurnNumbers } from './turn-numbers.js';
import { TurnRequests } from './turn-requests.js';

/**
 * Makes the turns of a consumer at one shard, mostly one round trip at a time, which sends all settle commands since the last one, makes due
 * messages ready, and fetches as many as are wanted.
 */
export class ShardTurns {
  /** What the last turns showed of the queue. */
  readonly outlook: Pick<QueueOutlook, 'state' | 'isIdle'>;
  readonly #parts: ShardTurnsParts;
  readonly #loop: TurnLoop;
  readonly #outlook = new QueueOutlook();
  readonly #reconciliation: Reconciliation;
  readonly #offers: Offers;
  readonly #due = new DueTimer(() => this.#ask());
  readonly #requests: TurnRequests;
  readonly #answers: TurnAnswers;
  #keys: ConsumerKeys | undefined;

  constructor(parts: ShardTurnsParts) {
    const { connection, leaseMs, buffer, outbox, listener } = parts;
    this.#parts = parts;
    this.outlook = this.#outlook;
    this.#loop = new TurnLoop(connection, {
      mayTurn: () => this.#keys !== undefined,
      isAhead: () => this.#requests.isAhead,
      turn: () => this.#turn(),
      failed: (error) => listener.failed(error),
      rested: () => buffer.begin(),
    });
    const [due, outlook, numbers] = [this.#due, this.#outlook, new TurnNumbers()];
    const reconciliation = new Reconciliation(buffer, outbox, numbers);
    const requests = new TurnRequests({ leaseMs, buffer, outbox, numbers, reconciliation, outlook, due });
    const offers = new Offers({ buffer, outbox, requests });
    this.#reconciliation = reconciliation;
    this.#requests = requests;
    this.#offers = offers;
    this.#answers = new TurnAnswers({ buffer, outbox, listener, outlook, offers, due, reconciliation, requests });
    outbox.onAdded = () => this.#loop.nudge();
  }

  /** Starts (again) for a registration. Pending settle commands of an earlier one are void. */
  begin(keys: ConsumerKeys): void {
    this.#keys = keys;
    this.#parts.outbox.clear();
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

  /** Whether there may be messages for it: the last turn brought as many as were wanted, or there was a wake-up since. */
  get mayHaveMore(): boolean {
    return this.#outlook.mayHaveMore && this.#keys !== undefined && !this.#loop.isRetrying;
  }

  /** Whether Redis has all settle commands, is asked for nothing, and agrees on what this consumer holds. */
  get isQuiet(): boolean {
    return this.#parts.outbox.isEmpty && this.asked === 0 && !this.#reconciliation.isNeeded;
  }

  /** How many messages may be on their way. */
  get asked(): number {
    return this.#requests.asked;
  }

  /** Makes a turn if Redis holds more messages (`held`) for this consumer than it knows of. */
  compare(held: number): void {
    if (!this.#loop.isRunning && this.#reconciliation.compare(held)) this.nudge();
  }

  /** There was a wake-up for this consumer or for another one, possibly with a message: makes a turn. */
  woken({ consumer, offer }: WakeUp): void {
    this.#requests.woken(consumer);
    this.#outlook.leftIdle();
    const keys = this.#loop.isEnded ? undefined : this.#keys;
    if (offer && keys && this.#offers.add(offer, performance.now())) {
      this.#outlook.expect();
      this.#decideOffers(keys);
    } else this.#ask();
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

  /** Sends pending settle commands, until Redis has confirmed them or the time is up. */
  flush(deadlineMs: number): Promise<void> {
    return this.#loop.until(() => this.#parts.outbox.isEmpty, deadlineMs);
  }

  async #turn(): Promise<void> {
    const keys = this.#keys;
    if (keys === undefined) return;
    try {
      await this.#turnFor(keys);
    } catch (error) {
      // What it brought, if it was executed, is found when the two are reconciled.
      await this.#requests.forget();
      this.#reconciliation.require();
      this.#offers.restart();
      throw error;
    } finally {
      this.#decideOffers(keys);
    }
  }

  async #turnFor(keys: ConsumerKeys): Promise<void> {
    const client = this.#parts.connection.commands;
    if (this.#reconciliation.isNeeded && !this.#requests.isAhead) {
      const { taken, lost } = await this.#reconciliation.reconcile(client, keys, () => this.#keys === keys);
      this.#offers.forget(taken);
      if (lost.length > 0) this.#parts.listener.lostMessages(lost);
    }
    if (this.#keys !== keys) return;
    const sent = this.#requests.next(client, keys);
    if (sent === undefined) return;
    // The messages of the turn before are handled while Redis works on this one.
    this.#parts.buffer.begin();
    const answer = await sent.answer;
    this.#requests.ended();
    if (this.#keys === keys && this.#answers.read(sent, answer)) this.nudge();
  }

  /** Takes offers while there is room; declines the rest immediately. */
  #decideOffers(keys: ConsumerKeys): void {
    const { taken, declined } = this.#offers.decide(() => this.#keys === keys);
    if (declined.length > 0) {
      // A turn without any room wakes another consumer for it.
      this.#due.isDue = true;
      void declineOffers(this.#parts.connection.commands, keys.all, declined);
    }
    if (taken > 0 || declined.length > 0) this.nudge();
  }
}
