import { isInstance, type Linked, MillraceError, UnroutableError, WriteError, type WriteFailure } from '@millrace/core';
import type { OutgoingFrame } from '../model/outgoing-frame.js';
import { type NextStep, nextStep, type PublicationState } from '../model/publication-state.js';
import { type EntryResult, PlainReceipt, type Receipt, receiptOf, type TopicPosition } from '../model/receipt.js';
import { nowhere, type Route } from '../model/routing.js';
import type { OutgoingMessage } from '../store/publish.js';
import type { InFlightWindow } from './in-flight-window.js';
import type { PublicationTarget } from './publication-target.js';
import type { TopicMessage } from './topic-sink.js';

/** The caller of a publication: is notified of its result. */
export interface PublicationListener {
  /** Until when it waits, by this process's monotonic clock. */
  readonly deadlineMs: number;
  confirmed(receipt: Receipt, publication: Publication): void;
  failed(error: unknown, publication: Publication): void;
}

const noSlots: readonly string[] = Object.freeze([]);

/**
 * One message on its way from the caller to its receipt.
 *
 *                         ┌──────── all its calls have ended ────────┐
 *   room in the window    ▼       routed          another topology   │
 *   new ──────────────▶ routing ─────────▶ sent ─────────────────▶ misrouted
 *                         │                 │ all its calls have ended
 *                         │                 ├─────────────▶ appending, if its route has topics
 *                         │                 ▼                   │ all topics have it
 *                         └────────────▶ settled ◀──────────────┘
 *
 * From any state it may fail, or be given up at its deadline: then it is settled, and replies that still come have no effect.
 *
 * The state is a word and its data are fields: with an object per state the transitions took 52 ns per message instead of 41
 * (docs/decisions/0008).
 */
export class Publication implements OutgoingMessage, Linked<Publication> {
  #state: PublicationState = 'new';
  route: Route = nowhere;
  /** The slots of the route's queues: the same list when none of them is sharded. */
  slots: readonly string[] = noSlots;
  /** Determines its shard in any sharded queue: this modulo the number of shards. */
  draw: number | undefined;
  /** What its slots replied: nothing yet, that all simply took it, or the result of each. */
  #results: 'none' | 'all-took' | Map<string, EntryResult | undefined> = 'none';
  /** The calls with it that have not ended. */
  #callsLeft = 0;
  /** How many of them may have been executed without a reply. */
  uncertainCalls = 0;
  /** Why it is not confirmed yet, used in the error if it never is. */
  lastFailure: WriteFailure = 'timeout';
  /** The window that holds it until it is settled, and its neighbours there. */
  #window: InFlightWindow | undefined;
  before: Publication | undefined;
  after: Publication | undefined;

  constructor(
    readonly entry: string,
    readonly frame: OutgoingFrame,
    /** See `messageTerms`. */
    readonly terms: string,
    readonly target: PublicationTarget,
    readonly listener: PublicationListener,
    /** Its index among the messages of its call. */
    readonly index: number,
  ) {}

  get isSettled(): boolean {
    return this.#state === 'settled';
  }

  get deadlineMs(): number {
    return this.listener.deadlineMs;
  }

  /** It is not sent again. */
  get isOverdue(): boolean {
    return performance.now() >= this.deadlineMs;
  }

  get bytes(): number {
    return this.frame.length;
  }

  /** Its entry, if the caller gave no id. */
  get messageId(): string {
    return this.target.messageId ?? this.entry;
  }

  /** Whether the slot has replied already: in a cluster, a message that is routed again is sent only to the other slots. */
  hasReached(slot: string): boolean {
    return this.#results !== 'none' && (this.#results === 'all-took' || this.#results.has(slot));
  }

  /** It is held until it is settled, and will be routed. */
  entered(window: InFlightWindow): void {
    this.#window = window;
    this.#become('routing');
  }

  /** This number of calls will contain it. */
  sent(calls: number): void {
    this.#become('sent');
    this.#callsLeft = calls;
  }

  /** All slots of its route simply took it. */
  allTook(): void {
    this.#results = 'all-took';
  }

  replied(slot: string, result: EntryResult | undefined): void {
    if (typeof this.#results === 'string') this.#results = new Map();
    this.#results.set(slot, result);
  }

  /** A call with it ended: its slots have replied; or, `misrouted`, they did not take it, because the topology is another one. */
  callEnded(how: 'replied' | 'misrouted'): NextStep {
    if (how === 'misrouted') this.#become('misrouted');
    this.#callsLeft--;
    return this.next();
  }

  /** Enters the state of the step that it returns: the caller takes the step. */
  next(): NextStep {
    const step = nextStep(this.#state, this.#callsLeft, this.route.topics.length);
    if (step === 'route') this.#become('routing');
    else if (step === 'append') this.#become('appending');
    return step;
  }

  /** For the log of a binding to a topic. */
  topicMessage(): TopicMessage {
    const { exchange, routingKey, headers, timestamp, body } = this.target;
    return { messageId: this.messageId, exchange, routingKey, headers, timestamp, body };
  }

  /** Every queue of the route has replied, and every topic. */
  confirm(topics: readonly TopicPosition[] = []): void {
    if (this.isSettled) return;
    const receipt = this.#receipt(topics);
    if (this.target.mandatory && receipt.queues.length + receipt.topics.length === 0) {
      this.fail(unroutable(this.target, receipt));
      return;
    }
    this.#settle();
    this.listener.confirmed(receipt, this);
  }

  fail(error: unknown): void {
    if (this.isSettled) return;
    this.#settle();
    this.listener.failed(error, this);
  }

  /** Writing to a topic failed: what the queues have stays there. */
  topicFailed(topic: string, error: unknown): void {
    if (!isInstance(error, MillraceError) || this.route.queues.length === 0) {
      this.fail(error);
      return;
    }
    const { failure, mayBeWritten } =
      error instanceof WriteError ? error : { failure: 'rejected' as const, mayBeWritten: true };
    const queues = this.route.queues.join(', ');
    const message = `message ${this.messageId} is in the queues ${queues}, but topic "${topic}" did not take it: ${error.message}`;
    this.fail(new WriteError(message, { failure, mayBeWritten, cause: error }));
  }

  /** No confirmation came, and none is waited for any longer. */
  giveUp(failure: WriteFailure, description: string, cause?: unknown): void {
    const { exchange, routingKey } = this.target;
    const where = exchange === '' ? `queue "${routingKey}"` : `exchange "${exchange}"`;
    const mayBeWritten = this.uncertainCalls > 0 || this.#results !== 'none' || this.#state === 'appending';
    this.fail(
      new WriteError(`message ${this.messageId} for ${where}: ${description}.`, { failure, mayBeWritten, cause }),
    );
  }

  /** Settled is final. */
  #become(state: PublicationState): void {
    if (this.#state !== 'settled') this.#state = state;
  }

  #settle(): void {
    this.#state = 'settled';
    this.#window?.leave(this);
  }

  #receipt(topics: readonly TopicPosition[]): Receipt {
    if (this.#results === 'all-took' && topics.length === 0) return new PlainReceipt(this.messageId, this.route.queues);
    const results =
      typeof this.#results === 'string'
        ? new Map((this.#results === 'none' ? [] : this.slots).map((slot) => [slot, undefined]))
        : this.#results;
    return receiptOf(this.messageId, results, topics);
  }
}

function unroutable({ exchange, routingKey }: PublicationTarget, { isUnroutable, refused }: Receipt): UnroutableError {
  const subject = `mandatory message for exchange "${exchange}" with routing key "${routingKey}"`;
  if (isUnroutable)
    return new UnroutableError(
      `${subject} matches no binding. Bind a queue, or give the exchange an alternate exchange.`,
    );
  const who = refused.map(({ queue, reason }) => `queue "${queue}" (${reason})`).join(', ');
  return new UnroutableError(
    `${subject} was refused by all its queues: ${who}. Wait until there is room, or raise the limit.`,
  );
}
