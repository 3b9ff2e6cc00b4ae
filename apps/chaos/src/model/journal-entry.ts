/** When and where: `at` is the machine's monotonic clock in µs, one for all processes, so that entries can be put in order. */
export interface Stamp {
  readonly at: number;
  /** Name and incarnation: a process that is started again is another one. */
  readonly process: string;
}

/** A record's identity is its key and sequence number, which its producer gave; its place is what Redis gave. */
export interface JournaledRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly seq: number;
}

/** One attempt at a record, by the owner of an epoch. */
export interface RecordAttempt extends JournaledRecord {
  readonly epoch: number;
  readonly attempt: number;
}

/** One attempt at a message of a queue. */
export interface MessageAttempt {
  readonly queue: string;
  readonly id: string;
  readonly attempt: number;
  /** Wall clock in ms, Redis' own on this machine. */
  readonly clockMs: number;
}

/** What a process wrote down: before anything came of it (`begun`), or as soon as it was true. */
export type JournalEntry = Stamp &
  (
    | ({ readonly kind: 'record-confirmed' } & JournaledRecord)
    | { readonly kind: 'record-failed'; readonly key: string; readonly seq: number; readonly failure: string }
    | {
        readonly kind: 'message-confirmed';
        readonly id: string;
        /** Those that hold it. */
        readonly queues: readonly string[];
        /** Those that did not take it and made it a dead letter instead. */
        readonly deadLetteredBy: readonly string[];
        readonly refusedBy: readonly string[];
        /** When it was published; times as in `at`. */
        readonly sentAt: number;
        /** The same by the wall clock, in ms. */
        readonly sentMs: number;
        readonly delayMs: number;
      }
    /** Into the queue without consumers, without an expiration. */
    | { readonly kind: 'stay-confirmed'; readonly id: string; readonly sentAt: number }
    /** The registration under which a process consumes from a queue, when it begins its first message. */
    | { readonly kind: 'registered'; readonly queue: string; readonly registration: string }
    | { readonly kind: 'message-failed'; readonly id: string; readonly failure: string }
    | ({ readonly kind: 'record-begun' | 'record-handled' } & RecordAttempt)
    /** As part of a batch that waited for more. */
    | ({ readonly kind: 'record-batched' } & JournaledRecord)
    /** Of the topic that is deleted and declared again. */
    | {
        readonly kind: 'campaign-confirmed';
        readonly id: string;
        readonly offset: number;
        /** When it was sent; times as in `at`. */
        readonly sentAt: number;
      }
    | { readonly kind: 'campaign-handled'; readonly id: string }
    | ({ readonly kind: 'message-begun' | 'message-handled' } & MessageAttempt)
    | {
        readonly kind: 'committed';
        readonly topic: string;
        readonly partition: number;
        readonly epoch: number;
        readonly offset: number;
      }
    /** What else is worth knowing when something is looked into: leases lost, logs cut short. */
    | { readonly kind: 'noted'; readonly what: string; readonly details: unknown }
  );

/** `Omit` for each member of the union. */
type WithoutStamp<T> = T extends unknown ? Omit<T, keyof Stamp> : never;

/** An entry before its journal stamps it. */
export type Unstamped = WithoutStamp<JournalEntry>;

type WithKind<T extends JournalEntry, K> = T extends unknown
  ? K extends T['kind']
    ? T & { readonly kind: K }
    : never
  : never;

export type EntryOf<K extends JournalEntry['kind']> = WithKind<JournalEntry, K>;
