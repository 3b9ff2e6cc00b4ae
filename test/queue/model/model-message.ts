import type { ModelConsumer } from './model-consumer.js';
import { exactly, type Standing } from './standing.js';

/** Where a message is: in exactly one of these. */
export type Place = 'ready' | 'delayed' | 'held' | 'parked' | 'dead' | 'gone';

/** What is known of a message from its publish on. */
export interface MessageFacts {
  /** Its payload: no other message has it. */
  readonly number: number;
  /** What it was published with; undefined when the broker gave it an id. */
  readonly messageId: string | undefined;
  readonly priority: number;
  /** Messages of one lane keep their order: all of a queue, or those of one shard key. */
  readonly lane: string;
  /** No handler is for it: its consumer parks it. */
  readonly hasNoHandler: boolean;
  /** What the queue calls it. */
  readonly handle: string;
}

const never = Number.POSITIVE_INFINITY;

/** One confirmed message, and where the model has it. */
export class ModelMessage {
  readonly facts: MessageFacts;
  handle: string;
  lane: string;
  place: Place = 'ready';
  standing: Standing = exactly(0);
  /** The consumer that holds it, while it is held. */
  by: ModelConsumer | undefined;
  /** Since which step it stands in `ready`. */
  readySince = 0;
  /** Of Redis' clock: not before the first, by the second at the latest; while it is delayed. */
  due = { from: 0, by: never };
  /** How long it is delayed, counted from when Redis learns of it. */
  delayMs = 0;
  /** As `due`; for ever without an expiration. */
  expires = { from: never, by: never };
  attempt = 1;
  deliveryCount = 0;
  /** How often it came back without a settlement; two are enough for a quarantine when a consumer died with it. */
  losses = 0;
  /** Why it is a dead letter, or how it ended. */
  why = '';
  isRedriven = false;
  /** It was published while a dead consumer may have waited, so it may have been offered to that one, until it is seen elsewhere. */
  mayBeOfferedToTheDead = false;
  /** It was cancelled when a consumer had it, whose handler may have been called by then. */
  mayHaveBegun = false;

  constructor(facts: MessageFacts) {
    this.facts = facts;
    this.handle = facts.handle;
    this.lane = facts.lane;
  }

  get name(): string {
    return `m${this.facts.number}`;
  }

  /** Whether the queue holds it. */
  get isAlive(): boolean {
    return this.place !== 'gone' && this.place !== 'dead';
  }

  isSameLine({ lane, facts }: ModelMessage): boolean {
    return this.lane === lane && this.facts.priority === facts.priority;
  }

  toString(): string {
    return `${this.name} ${this.place}${this.by === undefined ? '' : ` by ${this.by.name}`}${this.why && ` (${this.why})`}`;
  }
}
