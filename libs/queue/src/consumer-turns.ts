import type { RedisConnection } from '@millrace/redis';
import type { ConsumerReport } from './consumer-report.js';
import type { ConsumerKeys } from './store/consumer-keys.js';
import { moveDue } from './store/due.js';
import { heldMessages } from './store/held.js';
import { settleVerdicts, type Verdict } from './store/settle.js';
import { maxTurnMessages, type Taken, type TurnResult, type TurnState, turn } from './store/turn.js';

/** What turns are made for. */
export interface TurnUser {
  /** How many more messages the consumer wants now. */
  wanted(): number;
  /** Takes messages. Must not throw. */
  take(messages: readonly Taken[]): void;
  /** Whether the consumer knows that it holds this message. */
  holds(id: string): boolean;
  /** These verdicts are carried out. */
  settled(verdicts: readonly Verdict[]): void;
  /** The consumer gave a verdict on messages that were no longer its own. */
  lostMessages(ids: readonly string[]): void;
  /** A turn is over. */
  turnEnded(): void;
  /** The registration is gone, and with it all that was held. */
  lostLease(): void;
  failed(error: unknown): void;
}

/** Most verdicts in one turn, other than acknowledgements: they cost Redis more. */
const maxVerdicts = 200;
/** Node's timers wrap around beyond 2^31 ms. */
const maxTimerMs = 2 ** 31 - 1;
const noIds: readonly string[] = [];
const noIdSet: ReadonlySet<string> = new Set();

/**
 * Talks to Redis for a consumer: one round trip at a time, which brings all verdicts since the last one, makes due messages
 * ready, and fetches as many as are wanted. Verdicts stay here until Redis has answered: an outage loses none.
 */
export class ConsumerTurns {
  readonly #connection: RedisConnection;
  readonly #user: TurnUser;
  readonly #told: ConsumerReport;
  #keys: ConsumerKeys | undefined;
  #acknowledged: string[] = [];
  #verdicts: Verdict[] = [];
  #wakeUp = '';
  #isDue = false;
  #isAsked = false;
  #running: Promise<void> | undefined;
  #isEnded = false;
  /** A turn failed: Redis may have done it all the same, and may have given us messages that we do not know of. */
  #isUncertain = false;
  /** Messages whose verdict may have been carried out by a turn that failed. */
  #perhapsSettled: ReadonlySet<string> = noIdSet;
  #failures = 0;
  #retryTimer: NodeJS.Timeout | undefined;
  #dueTimer: NodeJS.Timeout | undefined;
  #isHungry = false;
  #state: TurnState = 'ok';

  constructor(connection: RedisConnection, user: TurnUser, report: ConsumerReport) {
    this.#connection = connection;
    this.#user = user;
    this.#told = report;
    connection.on('up', this.#tryAgain);
  }

  /** Begins (again) for a registration. What was waiting to be settled for an earlier one is void. */
  begin(keys: ConsumerKeys): void {
    this.#keys = keys;
    this.#acknowledged = [];
    this.#verdicts = [];
    this.#isUncertain = false;
    this.#wakeUp = '';
    this.#told.started();
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
    this.#told.stopped();
    this.#connection.off('up', this.#tryAgain);
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#dueTimer);
  }

  /** Whether the consumer has room and found nothing: it stands in `idle` and must wait to be woken. */
  get isHungry(): boolean {
    return this.#isHungry;
  }

  get state(): TurnState {
    return this.#state;
  }

  acknowledge(id: string): void {
    this.#acknowledged.push(id);
    this.nudge();
  }

  judge(verdict: Verdict): void {
    this.#verdicts.push(verdict);
    this.nudge();
  }

  /** Makes a turn at once, because somebody woke this consumer, or another in whose name it was woken. */
  woken(consumer: string): void {
    this.#wakeUp = consumer;
    this.#isHungry = false;
    this.#isAsked = true;
    if (this.#running === undefined && this.#retryTimer === undefined) this.#running = this.#run();
  }

  /** Asks for a turn: at the end of this tick, so that all that ends in it shares one, or when the one under way ends. */
  nudge(): void {
    this.#isAsked = true;
    if (this.#running !== undefined || this.#retryTimer !== undefined || this.#isEnded) return;
    this.#running = new Promise(setImmediate).then(() => this.#run());
  }

  /** Settles what is waiting; false when Redis did not confirm it within the time. */
  async flush(deadlineMs: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<boolean>((resolve) => {
      timer = setTimeout(resolve, deadlineMs, true);
    });
    let isLate = false;
    while (!isLate && this.#hasSettlements && this.#keys !== undefined) {
      this.nudge();
      const rest = this.#running ?? new Promise<void>((resolve) => this.#connection.once('up', resolve));
      isLate = (await Promise.race([rest, deadline])) === true;
    }
    clearTimeout(timer);
    return !this.#hasSettlements;
  }

  get #hasSettlements(): boolean {
    return this.#acknowledged.length > 0 || this.#verdicts.length > 0;
  }

  async #run(): Promise<void> {
    while (this.#isAsked && !this.#isEnded && this.#keys !== undefined) {
      this.#isAsked = false;
      try {
        await this.#turn(this.#keys);
        this.#failures = 0;
      } catch (error) {
        this.#fail(error);
        break;
      }
    }
    this.#running = undefined;
  }

  async #turn(keys: ConsumerKeys): Promise<void> {
    if (this.#isUncertain) await this.#adopt(keys);
    const wanted = Math.min(this.#user.wanted(), maxTurnMessages);
    const acknowledged = this.#acknowledged.slice(0, maxTurnMessages);
    const verdicts = this.#verdicts.slice(0, maxVerdicts);
    if (wanted === 0 && acknowledged.length === 0 && verdicts.length === 0 && this.#wakeUp === '') return;
    const wakeUp = this.#wakeUp;
    const client = this.#connection.commands;
    // Sent in this order on one connection: one round trip.
    const [settled, , result] = await Promise.all([
      verdicts.length === 0 ? noIds : settleVerdicts(client, keys, verdicts),
      this.#isDue ? moveDue(client, keys.all, keys.ready.length) : false,
      turn(client, keys, { wanted, wakeUp, acknowledged }),
    ]);
    if (this.#keys !== keys) return;
    if (settled === undefined || result === undefined) return this.#user.lostLease();
    this.#acknowledged.splice(0, acknowledged.length);
    this.#verdicts.splice(0, verdicts.length);
    this.#wakeUp = '';
    this.#isDue = false;
    const isOurs = (id: string): boolean => this.#perhapsSettled.has(id);
    const confirmed = acknowledged.length - result.notMine.filter((id) => !isOurs(id)).length;
    if (confirmed > 0) this.#told.acknowledged(confirmed);
    this.#report([...result.notMine, ...settled]);
    if (verdicts.length > 0) this.#user.settled(verdicts);
    this.#goOn(result, wanted);
  }

  #goOn({ taken, state, dueInMs }: TurnResult, wanted: number): void {
    this.#state = state;
    this.#isHungry = taken.length < wanted && (state === 'ok' || state === 'passed');
    clearTimeout(this.#dueTimer);
    if (dueInMs === 0) this.#isDue = true;
    else if (dueInMs !== undefined) this.#dueTimer = setTimeout(this.#whenDue, Math.min(dueInMs, maxTimerMs));
    if (taken.length > 0) {
      this.#told.delivered(taken);
      this.#user.take(taken);
    }
    this.#user.turnEnded();
    const isMoreThere = taken.length === wanted || dueInMs === 0;
    if (this.#hasSettlements || (isMoreThere && state === 'ok' && this.#user.wanted() > 0)) this.#isAsked = true;
  }

  /** After a failed turn: takes on what Redis gave us in it, and tells of nothing that it may have settled. */
  async #adopt(keys: ConsumerKeys): Promise<void> {
    const pending = new Set([...this.#acknowledged, ...this.#verdicts.map(({ id }) => id)]);
    const unknown = await heldMessages(
      this.#connection.commands,
      keys,
      (id) => !pending.has(id) && !this.#user.holds(id),
    );
    if (this.#keys !== keys) return;
    if (unknown.length > 0) this.#user.take(unknown);
    this.#isUncertain = false;
    this.#perhapsSettled = pending;
  }

  #report(notMine: readonly string[]): void {
    const lost = notMine.filter((id) => !this.#perhapsSettled.has(id));
    this.#perhapsSettled = noIdSet;
    if (lost.length > 0) this.#user.lostMessages(lost);
  }

  #fail(error: unknown): void {
    this.#isUncertain = true;
    this.#isAsked = true;
    this.#retryTimer = setTimeout(this.#tryAgain, Math.min(50 * 2 ** this.#failures++, 1000));
    if (!this.#isEnded) this.#user.failed(error);
  }

  readonly #tryAgain = (): void => {
    if (this.#retryTimer === undefined) return;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    if (this.#isAsked) this.nudge();
  };

  readonly #whenDue = (): void => {
    this.#isDue = true;
    this.#isAsked = true;
    if (this.#running === undefined && this.#retryTimer === undefined && !this.#isEnded) this.#running = this.#run();
  };
}
