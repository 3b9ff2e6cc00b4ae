import { ModelConsumer } from './model-consumer.js';
import { type MessageFacts, ModelMessage } from './model-message.js';
import { behind, exactly, orAtTheHead } from './standing.js';

/** How the queue is declared, as far as the model has to know. */
export interface ModelSettings {
  readonly priorities: number;
  readonly shards: number;
  /** Whether dead letters have a declared place: only then an expired message goes there. */
  readonly hasDeadLetters: boolean;
  /** Whether ids are remembered, for longer than a test lasts. */
  readonly remembersIds: boolean;
}

/** Of the consumers that the operations make. */
export const retryPolicy = { maxRetries: 2, backoff: 20 };
export const retryLaterMs = 20;

/** What a handler may do with its message. */
export type HandlerOutcome =
  | 'ack'
  | 'fail'
  | 'retry later'
  | 'dead-letter'
  | 'requeue to the back'
  | 'requeue to the head';

const longWindowMs = Number.POSITIVE_INFINITY;

/**
 * What a queue has to be like after the operations that were done to it. Which of several consumers takes a message, and when something
 * is due, is Redis' choice: there `Agreement` says what may be, and the model adopts what is.
 */
export class QueueModel {
  readonly settings: ModelSettings;
  readonly messages = new Map<number, ModelMessage>();
  consumers: ModelConsumer[] = [];
  isPaused = false;
  /** The step in which it was paused or resumed last: what was due in that step may have been taken before. */
  switchedIn = 0;
  /** Whether more stale entries may stand in the lists than are left there. */
  isCluttered = false;
  step = 0;
  /** Redis' clock when this step began. */
  stepBegan = 0;
  /** Whether messages that come in this step keep their order. */
  isOrdered = true;
  /** How many messages were taken one by one, and how many of them while one of higher priority waited. */
  readonly takes = { all: 0, outOfPriority: 0 };
  /** Ids of messages that were handled. */
  readonly remembered = new Set<string>();
  /** Ids under which a message came back from the dead letters: which of the two lives such an id means is not said. */
  readonly retired = new Set<string>();
  #first = 0;
  #last = 0;
  #made = { messages: 0, consumers: 0 };

  constructor(settings: ModelSettings) {
    this.settings = settings;
  }

  begin(now: number, isOrdered: boolean): void {
    this.step++;
    this.stepBegan = now;
    this.isOrdered = isOrdered;
  }

  nextNumber(): number {
    return ++this.#made.messages;
  }

  get live(): ModelConsumer[] {
    return this.consumers.filter(({ isLive }) => isLive);
  }

  /** Whether what comes one by one keeps its order: a message may be offered to one consumer while another turns. */
  get isConsumedByOne(): boolean {
    return this.consumers.length < 2;
  }

  /** The queue knows of no consumer that is dead. */
  forgetTheDead(): void {
    this.consumers = this.consumers.filter(({ isLive, held }) => isLive || held.length > 0);
  }

  in(...places: readonly ModelMessage['place'][]): ModelMessage[] {
    return [...this.messages.values()].filter(({ place }) => places.includes(place));
  }

  /** Whether a publish with this id adds nothing; undefined when the one that is there may have expired. */
  isRepetition(messageId: string | undefined): boolean | undefined {
    if (messageId === undefined) return false;
    const alive = [...this.messages.values()].filter(({ facts, isAlive }) => facts.messageId === messageId && isAlive);
    if (this.remembered.has(messageId) || alive.some(({ expires }) => expires.from > this.stepBegan + longStepMs))
      return true;
    return alive.length > 0 ? undefined : false;
  }

  published(
    facts: MessageFacts,
    {
      delayMs = 0,
      expirationMs = longWindowMs,
      from,
      by,
    }: {
      readonly delayMs?: number | undefined;
      readonly expirationMs?: number | undefined;
      readonly from: number;
      readonly by: number;
    },
  ): void {
    const message = new ModelMessage(facts);
    this.messages.set(facts.number, message);
    message.expires = { from: from + delayMs + expirationMs, by: by + delayMs + expirationMs };
    if (delayMs > 0) this.#delay(message, delayMs, from);
    else this.#toTheBack(message);
    message.mayBeOfferedToTheDead = this.consumers.some(({ isLive }) => !isLive);
    if (message.mayBeOfferedToTheDead) message.standing = orAtTheHead(message.standing);
  }

  joined(prefetch: number): ModelConsumer {
    const consumer = new ModelConsumer(++this.#made.consumers, prefetch);
    this.consumers.push(consumer);
    return consumer;
  }

  /** What it began was handled, or comes back as the rest does: each message to its place. */
  stopped(consumer: ModelConsumer, began: 'is handled' | 'is given back'): void {
    consumer.state = 'left';
    this.consumers = this.consumers.filter((other) => other !== consumer);
    const { running } = consumer;
    this.#comeBack(consumer);
    if (running === undefined) return;
    if (began === 'is handled') this.ended(running, 'handled');
    // It is given back later than the others.
    else this.#toTheHead(running, this.live.length > 0 ? running : undefined);
  }

  lost(consumer: ModelConsumer): void {
    consumer.state = 'dead';
    this.#standWhereTheyComeBack(consumer);
  }

  settled(consumer: ModelConsumer, message: ModelMessage, outcome: HandlerOutcome, now: number): void {
    consumer.release(message);
    message.by = undefined;
    if (outcome === 'ack') this.ended(message, 'handled');
    else if (outcome === 'dead-letter') this.died(message, 'rejected');
    else if (outcome === 'fail' && message.attempt > retryPolicy.maxRetries) this.died(message, 'failed');
    else {
      message.deliveryCount++;
      if (outcome === 'fail') message.attempt++;
      if (outcome === 'requeue to the back') this.#toTheBack(message);
      else if (outcome === 'requeue to the head') this.#toTheHead(message);
      else this.#delay(message, outcome === 'fail' ? retryPolicy.backoff : retryLaterMs, now);
    }
  }

  /** It left the queue for good. */
  ended(message: ModelMessage, how: string): void {
    message.by?.release(message);
    message.by = undefined;
    message.place = 'gone';
    message.why = how;
    const { messageId } = message.facts;
    if (how === 'handled' && messageId !== undefined && this.settings.remembersIds) this.remembered.add(messageId);
  }

  /** It is a dead letter. */
  died(message: ModelMessage, why: string): void {
    message.by?.release(message);
    message.by = undefined;
    message.place = 'dead';
    message.why = why;
  }

  /** What was set aside for its operator has no time to be over by. */
  unparked(): void {
    const parked = this.in('parked');
    for (const message of parked) {
      message.expires = { from: message.expires.from, by: longWindowMs };
      this.#toTheBack(message);
      if (parked.length > 1) message.standing = behind(message.standing.from - parked.length);
    }
  }

  redriven(message: ModelMessage, handle: string): void {
    message.handle = handle;
    message.attempt = 1;
    message.deliveryCount = 0;
    message.losses = 0;
    message.why = '';
    message.expires = { from: longWindowMs, by: longWindowMs };
    message.isRedriven = true;
    if (message.facts.messageId !== undefined) this.retired.add(message.facts.messageId);
    if (this.settings.shards > 1 && message.facts.messageId !== undefined) message.lane = message.name;
    this.#toTheBack(message);
  }

  /** The queue was deleted, and is declared again. */
  replaced(): void {
    for (const message of this.messages.values()) if (message.isAlive) this.ended(message, 'deleted');
    this.consumers = this.live;
    for (const consumer of this.consumers) consumer.held = [];
    this.isPaused = false;
    this.isCluttered = false;
    this.remembered.clear();
  }

  /** What is ready stands in this order: from here on nothing about it is open. */
  stand(ready: readonly ModelMessage[]): void {
    this.#first = 0;
    this.#last = ready.length;
    for (const [index, message] of ready.entries()) {
      const place = exactly(index + 1);
      message.standing = message.mayBeOfferedToTheDead ? orAtTheHead(place) : place;
    }
    for (const message of this.in('delayed')) message.standing = behind(this.#last);
    for (const consumer of this.consumers) if (!consumer.isLive) this.#standWhereTheyComeBack(consumer);
  }

  #toTheBack(message: ModelMessage): void {
    this.#becomesReady(message);
    message.standing = exactly(++this.#last);
  }

  #toTheHead(message: ModelMessage, comesWith?: object): void {
    this.#becomesReady(message);
    message.standing = exactly(--this.#first, comesWith);
  }

  #becomesReady(message: ModelMessage): void {
    message.place = 'ready';
    message.by = undefined;
    message.readySince = this.step;
  }

  #delay(message: ModelMessage, delayMs: number, now: number): void {
    message.place = 'delayed';
    message.delayMs = delayMs;
    message.due = { from: now + delayMs, by: Number.POSITIVE_INFINITY };
    message.standing = behind(this.#last);
  }

  /**
   * What did not begin goes to the head. What is still to be claimed is given back after its claim, later than the others, of which another
   * consumer may have taken some by then.
   */
  #comeBack(consumer: ModelConsumer): void {
    const isTaken = this.live.length > 0;
    const waiting = consumer.waiting();
    this.#first -= waiting.length;
    for (const { message, rank } of waiting) {
      this.#becomesReady(message);
      const [from, to] = [this.#first + rank.from, this.#first + rank.to];
      message.standing = { from, to, comesWith: isTaken ? message : undefined };
    }
    consumer.held = [];
  }

  /**
   * Before all that is ready, in the order in which one publisher published it: the order in which it was taken is not kept. What came
   * back from the dead letters is another publisher's.
   */
  #standWhereTheyComeBack(consumer: ModelConsumer): void {
    const messages = consumer.held.map(({ message }) => message);
    const ours = messages.filter(({ isRedriven }) => !isRedriven).toSorted((a, b) => a.facts.number - b.facts.number);
    this.#first -= messages.length + 1;
    for (const message of messages) {
      const place = ours.indexOf(message);
      const range = place < 0 ? [0, messages.length] : [place, place + messages.length - ours.length];
      const [from = 0, to = 0] = range.map((each) => this.#first + each);
      message.standing = { from, to, comesWith: consumer };
    }
  }
}

/** Longer than a step takes before it publishes. */
const longStepMs = 10_000;
