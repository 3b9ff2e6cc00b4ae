import { queueOf } from './shards.js';

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

/** The result of a message in one slot that did not simply take it. */
export type EntryResult = 'duplicate' | 'refused' | 'dead-lettered';

/** What the slots of a message replied; undefined: it took the message. */
export type SlotResults = ReadonlyMap<string, EntryResult | undefined>;

const none: readonly never[] = Object.freeze([]);

/** The receipt of a message that every queue took. A class: see docs/decisions/0008. */
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

/** The receipt of a message whose slots and topics have all replied. */
export function receiptOf(messageId: string, slots: SlotResults, topics: readonly TopicPosition[]): Receipt {
  const results = [...slots].map(([slot, result]) => [queueOf(slot), result] as const);
  if (topics.length === 0 && results.every(([, result]) => result === undefined))
    return new PlainReceipt(messageId, namesOf(results));
  return {
    messageId,
    queues: namesOf(results.filter(([, result]) => result === undefined || result === 'duplicate')),
    topics,
    isUnroutable: results.length + topics.length === 0,
    refused: results.flatMap(([queue, result]): Refusal[] =>
      result === 'refused' || result === 'dead-lettered'
        ? [{ queue, reason: 'maxlen', isDeadLettered: result === 'dead-lettered' }]
        : [],
    ),
    duplicates: namesOf(results.filter(([, result]) => result === 'duplicate')),
  };
}

function namesOf(results: readonly (readonly [queue: string, result: EntryResult | undefined])[]): string[] {
  return results.map(([queue]) => queue);
}
