import { Fifo, startTimer, stopTimer, type Timer } from '@millrace/core';
import type { RedisConnection } from '@millrace/redis';
import type { ConsumerKeys } from '../store/consumer-keys.js';
import { makeDue } from '../store/due.js';
import type { Verdict } from '../store/settle.js';
import type { TurnResult, TurnState } from '../store/turn.js';
import type { WakeUp } from '../store/wake.js';
import { ConsumerDoubt } from './consumer-doubt.js';
import { ConsumerOutbox, soonest } from './consumer-outbox.js';
import type { ConsumerReport } from './consumer-report.js';
import { DueTimer } from './due-timer.js';
import { HandOvers } from './hand-overs.js';
import { TurnSender } from './turn-sender.js';
import type { TurnUser } from './turn-user.js';

/**
 * Talks to Redis for a consumer, mostly one round trip at a time, which brings all verdicts since the last one, makes due messages
 * ready, and fetches as many as are wanted. Verdicts stay here until Redis has answered: an outage loses none.
 */
export class ConsumerTurns {
  readonly #connection: RedisConnection;
  readonly #user: TurnUser;
  /** Whom what is taken and done is told to. */
  readonly report: ConsumerReport;
  #keys: ConsumerKeys | undefined;
  readonly #outbox = new ConsumerOutbox();
  readonly #doubt: ConsumerDoubt;
  readonly sender: TurnSender;
  #wakeUp = '';
  #isAsked = false;
  #running: Promise<void> | undefined;
  #isEnded = false;
  #failures = 0;
  #retryTimer: Timer | undefined;
  #isHungry = false;
  #isEager = true;
  /** How many of the last turns brought as many as were wanted. */
  #fullTurns = 0;
  #state: TurnState = 'ok';
  readonly #handOvers = new HandOvers();
  readonly #due = new DueTimer(() => this.#ask());

  constructor(connection: RedisConnection, user: TurnUser, report: ConsumerReport) {
    this.#connection = connection;
    this.#user = user;
    this.report = report;
    this.#doubt = new ConsumerDoubt(user, this.#outbox);
    this.sender = new TurnSender(user, this.#outbox, this.#doubt, this.#due);
    connection.on('up', this.#tryAgain);
  }

  /** Begins (again) for a registration. What was waiting to be settled for an earlier one is void. */
  begin(keys: ConsumerKeys): void {
    this.#keys = keys;
    this.#outbox.clear();
    this.#doubt.clear();
    void this.sender.forget();
    this.#wakeUp = '';
    this.report.started();
    this.nudge();
  }

  /** Makes no further turn until the next `begin`. */
  suspend(): void {
    this.#keys = undefined;
    this.#isHungry = false;
  }

  /** Makes no further turn at all. */
  end(): void {
    this.#isEnded = true;
    this.report.stopped();
    this.#connection.off('up', this.#tryAgain);
    stopTimer(this.#retryTimer);
    this.#due.end();
  }

  /** Whether the consumer has room and found nothing: it stands in `idle` and must wait to be woken. */
  get isHungry(): boolean {
    return this.#isHungry;
  }

  /** Whether there may be messages for it: the last turn brought as many as were wanted, or somebody has called since. */
  get isEager(): boolean {
    return this.#isEager && this.#keys !== undefined && this.#retryTimer === undefined;
  }

  get asked(): number {
    return this.sender.asked;
  }

  get state(): TurnState {
    return this.#state;
  }

  /** Somebody saw how many messages Redis has down as this consumer's: makes a turn if those are more than it knows of. */
  compare(held: number): void {
    if (this.#running !== undefined || held <= this.#user.held() + this.#outbox.ids().size) return;
    this.#doubt.arise();
    this.nudge();
  }

  acknowledge(id: string): void {
    this.#outbox.acknowledge(id);
    this.nudge();
  }

  judge(verdict: Verdict): void {
    this.#outbox.judge(verdict);
    this.nudge();
  }

  /** Somebody woke this consumer, or another in whose name it was woken, perhaps with a message: makes a turn. */
  woken(wakeUp: WakeUp): void {
    this.#wakeUp = wakeUp.consumer;
    this.#isHungry = false;
    this.#isEager = true;
    if (this.#keys !== undefined && !this.#isEnded && this.#handOvers.add(wakeUp)) {
      // The turn under way may fill all the room there is.
      if (this.asked === 0) this.#decideHandOvers(this.#keys);
      return;
    }
    this.#ask();
  }

  /** There may be messages: asks for a turn now, or later. Without a registration a run would end before it is noted as running. */
  #ask(): void {
    this.#isEager = this.#isAsked = true;
    if (this.#keys === undefined || this.#running !== undefined || this.#retryTimer !== undefined) return;
    if (!this.#isEnded) this.#running = this.#run();
  }

  /** Asks for a turn: at the end of this tick, so that all that ends in it shares one, or when the one under way ends. */
  nudge(): void {
    this.#isAsked = true;
    if (this.#running !== undefined || this.#retryTimer !== undefined || this.#isEnded) return;
    this.#running = new Promise(setImmediate).then(() => this.#run());
  }

  /** Resolves when no turn is under way. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
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
      const rest = this.#running ?? new Promise<void>((resolve) => this.#connection.once('up', resolve));
      isLate = (await Promise.race([rest, deadline])) === true;
    }
    stopTimer(timer);
    return this.#outbox.isEmpty;
  }

  async #run(): Promise<void> {
    while ((this.#isAsked || this.sender.isAhead) && !this.#isEnded && this.#keys !== undefined) {
      const keys = this.#keys;
      this.#isAsked = false;
      try {
        await this.#turn(keys);
        this.#failures = 0;
      } catch (error) {
        // What it brought, if it was carried out, is found when the doubt is dispelled.
        await this.sender.forget();
        this.#fail(error);
        break;
      } finally {
        this.#decideHandOvers(keys);
      }
    }
    this.#running = undefined;
    this.#user.begin();
  }

  async #turn(keys: ConsumerKeys): Promise<void> {
    const client = this.#connection.commands;
    if (this.#doubt.isThere && !this.sender.isAhead) await this.#doubt.dispel(client, keys, () => this.#keys === keys);
    if (this.#keys !== keys) return;
    const sent = this.sender.next(client, keys, this.#wakeUp, this.#fullTurns > 1);
    if (sent === undefined) return;
    // What the turn before this one brought is handled while Redis works on this one.
    this.#user.begin();
    const [settled, result] = await sent.answer;
    this.sender.ended();
    if (this.#keys !== keys) return;
    if (settled === undefined || result === undefined) return this.#user.lostLease();
    const { batch, wanted, maxBytes } = sent;
    const { acknowledged, verdicts } = batch;
    this.#outbox.confirmed(batch);
    if (this.#wakeUp === sent.wakeUp) this.#wakeUp = '';
    this.#due.isDue = false;
    const lost = this.#doubt.strangersAmong([...result.notMine, ...settled]);
    this.#doubt.answered();
    this.report.acknowledged(acknowledged.length - lost.filter((id) => acknowledged.includes(id)).length);
    if (lost.length > 0) this.#user.lostMessages(lost);
    if (verdicts.length > 0) this.#user.settled(verdicts);
    // Within a bound of bytes fewer may have come than there are.
    const counted = maxBytes !== undefined && result.taken.size > 0 ? result.taken.size : wanted;
    this.#goOn(verdicts.length === 0 ? result : { ...result, dueInMs: soonest(result.dueInMs, verdicts) }, counted);
  }

  #goOn({ taken, unknown, state, dueInMs, now, isAlone }: TurnResult, wanted: number): void {
    this.#handOvers.tellTime(now);
    this.#state = state;
    this.#isHungry = taken.size < wanted && (state === 'ok' || state === 'passed');
    this.#isEager = state === 'ok' && (taken.size === wanted || dueInMs === 0);
    if (wanted > 0) this.#fullTurns = taken.size < wanted ? 0 : this.#fullTurns + 1;
    this.#due.set(dueInMs);
    if (taken.size > 0) this.#user.take(taken);
    if (unknown > 0) this.#doubt.arise();
    this.#user.turnEnded(isAlone);
    if (unknown > 0 || !this.#outbox.isEmpty || (this.#isEager && this.#user.wanted() > 0)) this.#isAsked = true;
  }

  /** Takes what was handed over while there is room; the rest is for others, now. */
  #decideHandOvers(keys: ConsumerKeys): void {
    for (const message of this.#handOvers.takeAll()) {
      if (this.#keys === keys && this.#user.wanted() > this.asked) {
        this.#outbox.claim(message.id);
        this.#user.take(new Fifo([message]));
        this.#user.begin();
      } else {
        this.#due.isDue = true;
        void makeDue(this.#connection.commands, keys.all, message.id);
      }
      this.nudge();
    }
  }

  #fail(error: unknown): void {
    this.#doubt.arise();
    this.#isAsked = true;
    this.#retryTimer = startTimer(this.#tryAgain, Math.min(50 * 2 ** this.#failures++, 1000));
    if (!this.#isEnded) this.#user.failed(error);
  }

  readonly #tryAgain = (): void => {
    if (this.#retryTimer === undefined) return;
    stopTimer(this.#retryTimer);
    this.#retryTimer = undefined;
    if (this.#isAsked) this.nudge();
  };
}
