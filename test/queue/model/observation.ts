import type { QueueCounts } from '@millrace/queue';

/** A message in a list of the queue. */
export interface Listed {
  readonly number: number;
  /** What the queue calls it. */
  readonly id: string;
}

/** A handler was called. */
export interface Start {
  readonly number: number;
  /** The number of its consumer. */
  readonly consumer: number;
  readonly messageId: string;
  readonly attempt: number;
  readonly deliveryCount: number;
}

/** What the public API shows of a queue. */
export interface Observation {
  /** In the order of delivery. */
  readonly ready: readonly Listed[];
  readonly delayed: readonly Listed[];
  readonly parked: readonly Listed[];
  readonly dead: readonly (Listed & { readonly reason: string })[];
  /** Message → consumer, or undefined when that is not known yet. */
  readonly held: ReadonlyMap<number, number | undefined>;
  /** Consumer → the message that its handler has. */
  readonly running: ReadonlyMap<number, number>;
  /** Since the last observation that the model agreed with. */
  readonly starts: readonly Start[];
  /** Handled by quick handlers since then. */
  readonly handled: ReadonlySet<number>;
  readonly counts: QueueCounts;
  /** Entries without a message in the lists of each slot: how many the queue counts, and how many there are. */
  readonly stale: readonly { readonly slot: string; readonly counted: number; readonly present: number }[];
  /** Redis' clock after all that was seen. */
  readonly now: number;
}
