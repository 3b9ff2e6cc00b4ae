import { isInstance, MillraceError, UnroutableError, WriteError, type WriteFailure } from '@millrace/core';
import type { OutgoingFrame } from '../model/outgoing-frame.js';
import { PlainReceipt, type Receipt, type Refusal, type TopicPosition } from '../model/receipt.js';
import { nowhere, type Route } from '../model/routing.js';
import { queueOf } from '../model/shards.js';
import type { EntryResult, OutgoingMessage } from '../store/publish.js';
import type { PublicationTarget } from './publication-target.js';
import type { PublishWindow } from './publish-window.js';
import type { TopicMessage } from './topic-sink.js';

/** Is notified of the result of a publication. */
export interface PublicationListener {
  confirmed(receipt: Receipt, index: number): void;
  failed(error: unknown, index: number): void;
}

/** Most messages need no map of their own. */
const noResults = new Map<string, EntryResult | undefined>();
const noSlots: readonly string[] = Object.freeze([]);

/** One message on its way from the caller to its receipt. */
export class Publication implements OutgoingMessage {
  /** The queues that replied, and their results; undefined: it was simply added. */
  #results: Map<string, EntryResult | undefined> = noResults;
  #isSettled = false;
  #hasEntered = false;
  /** The number of calls that include it and may have been executed without a reply. */
  uncertainCalls = 0;
  /** Why it is not confirmed yet, used in the error if it never is. */
  lastFailure: WriteFailure = 'timeout';
  /** Script calls whose reply is pending. */
  outstanding = 0;
  /** One of them found another topology: when all have replied, the message is routed again. */
  isMisrouted = false;
  /** The window that holds it until it is settled, and its neighbours there. */
  window: PublishWindow | undefined;
  before: Publication | undefined;
  after: Publication | undefined;
  route: Route = nowhere;
  /** The slots of the route's queues: the same list when none of them is sharded. */
  slots: readonly string[] = noSlots;
  /** Determines its shard in any sharded queue: this modulo the number of shards. */
  draw: number | undefined;

  constructor(
    readonly entry: string,
    /** Its entry, if the caller gave no id. */
    readonly messageId: string,
    readonly frame: OutgoingFrame,
    readonly terms: string,
    readonly target: PublicationTarget,
    /** By this process's monotonic clock. */
    readonly deadlineMs: number,
    readonly listener: PublicationListener,
    readonly index: number,
    /** The slot whose line it is. */
    readonly source?: string,
  ) {}

  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** It is not sent again. */
  get isOverdue(): boolean {
    return performance.now() >= this.deadlineMs;
  }

  get bytes(): number {
    return this.frame.length;
  }

  /** Whether the queue has replied already: in a cluster, a message that is routed again is sent only to the other queues. */
  hasReached(queue: string): boolean {
    return this.#results.size > 0 && this.#results.has(queue);
  }

  /** All queues of its route simply took it. */
  entered(): void {
    this.#hasEntered = true;
  }

  answered(queue: string, result: EntryResult | undefined): void {
    if (this.#results === noResults) this.#results = new Map();
    this.#results.set(queue, result);
  }

  /** For the log of a binding to a topic. */
  topicMessage(): TopicMessage {
    const { exchange, routingKey, headers, timestamp, body } = this.target;
    return { messageId: this.messageId, exchange, routingKey, headers, timestamp, body };
  }

  /** Every queue of the route has replied, and every topic. */
  confirm(topics: readonly TopicPosition[] = []): void {
    if (this.#isSettled) return;
    const receipt = this.#receipt(topics);
    if (this.target.mandatory && receipt.queues.length + receipt.topics.length === 0) {
      this.fail(unroutable(this.target.exchange, this.target.routingKey, receipt));
      return;
    }
    this.#settle();
    this.listener.confirmed(receipt, this.index);
  }

  fail(error: unknown): void {
    if (this.#isSettled) return;
    this.#settle();
    this.listener.failed(error, this.index);
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
    const mayBeWritten = this.uncertainCalls > 0 || this.#results.size > 0;
    this.fail(
      new WriteError(`message ${this.messageId} for ${where}: ${description}.`, { failure, mayBeWritten, cause }),
    );
  }

  #settle(): void {
    this.#isSettled = true;
    this.window?.leave(this);
  }

  #receipt(topics: readonly TopicPosition[]): Receipt {
    if (this.#hasEntered && topics.length === 0) return new PlainReceipt(this.messageId, this.route.queues);
    if (this.#hasEntered) for (const slot of this.slots) this.answered(slot, undefined);
    const plain = new PlainReceipt(this.messageId, [...this.#results.keys()].map(queueOf));
    const results = [...this.#results].map(([slot, result]) => [queueOf(slot), result] as const);
    if (topics.length === 0 && results.every(([, result]) => result === undefined)) return plain;
    const refused = results.flatMap(([name, result]): Refusal[] =>
      result === 'refused' || result === 'dead-lettered'
        ? [{ queue: name, reason: 'maxlen', isDeadLettered: result === 'dead-lettered' }]
        : [],
    );
    const isHeld = ([, result]: readonly [string, EntryResult | undefined]) =>
      result === undefined || result === 'duplicate';
    return {
      messageId: this.messageId,
      queues: results.filter(isHeld).map(([name]) => name),
      topics,
      isUnroutable: results.length + topics.length === 0,
      refused,
      duplicates: results.filter(([, result]) => result === 'duplicate').map(([name]) => name),
    };
  }
}

function unroutable(exchange: string, routingKey: string, { isUnroutable, refused }: Receipt): UnroutableError {
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
