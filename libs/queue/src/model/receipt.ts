/** A queue that did not take a message. */
export interface Refusal {
  /** The queue's name. */
  readonly queue: string;
  /** It is full: by its length or its bytes. */
  readonly reason: 'maxlen';
  /** Whether it gave the message to its dead letters instead (`overflow: 'dead-letter'`). */
  readonly isDeadLettered: boolean;
}

/** Where a message was written in a partitioned log. */
export interface TopicPosition {
  /** The topic's name. */
  readonly topic: string;
  /** The partition's number, from 0. */
  readonly partition: number;
  /** Its place in the partition, from 0. */
  readonly offset: number;
}

/** The result of a publish, confirmed by Redis. */
export interface Receipt {
  /** Its id: the given one, or a new one. */
  readonly messageId: string;
  /** The queues that hold it, or held it already. */
  readonly queues: readonly string[];
  /** Where it was written in partitioned logs. */
  readonly topics: readonly TopicPosition[];
  /** No binding matched: no queue got it. With `mandatory` that is an UnroutableError instead. */
  readonly isUnroutable: boolean;
  /** The queues that refused it, and why. */
  readonly refused: readonly Refusal[];
  /** Those of `queues` that knew its id: it was published to them before. */
  readonly duplicates: readonly string[];
}

const none: readonly never[] = Object.freeze([]);

/** The receipt of a message that every queue took. A class for the same reason as PublicationTarget. */
export class PlainReceipt implements Receipt {
  readonly messageId: string;
  readonly queues: readonly string[];
  readonly topics = none;
  readonly isUnroutable: boolean;
  readonly refused = none;
  readonly duplicates = none;

  constructor(messageId: string, queues: readonly string[]) {
    this.messageId = messageId;
    this.queues = queues;
    this.isUnroutable = queues.length === 0;
  }
}
