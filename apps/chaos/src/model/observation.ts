/**
 * What Redis itself did, in the order in which it did it, as a server's `MONITOR` tells: clients may sleep between the
 * answer and the moment they read it, so their own times do not prove who was first.
 */
export type Observation = {
  /** The server, one life of it: a server that takes over from another one begins a history of its own. */
  readonly server: string;
  readonly topic: string;
  readonly partition: number;
  readonly owner: string;
  readonly epoch: number;
} & (
  | { readonly kind: 'acquired' }
  /** A commit that was effected. */
  | { readonly kind: 'committed'; readonly offset: number; readonly isSeek: boolean }
);

/** One moment of a queue, read by one script. */
export interface QueueSample {
  /** Times as in the journals: after it was read. */
  readonly at: number;
  readonly queue: string;
  /** Messages of which there is a frame. */
  readonly messages: number;
  readonly ready: number;
  readonly delayed: number;
  readonly unacked: Readonly<Record<string, number>>;
  readonly parked: number;
  readonly dying: number;
  /** How many completed messages are kept, and how many fields there are of them. */
  readonly completed: number;
  readonly completedFields: number;
}

/** One moment of a partition, read by one script. */
export interface PartitionSample {
  readonly topic: string;
  readonly partition: number;
  readonly start: number;
  readonly end: number;
  /** The end by the stream's own last entry. */
  readonly lastEntry: number;
  readonly committed: number;
}

/** A fault as it was done. Times as in the journals. */
export interface DoneFault {
  readonly kind: string;
  readonly beganAt: number;
  readonly endedAt: number;
  /** Redis could not be written to meanwhile. */
  readonly isOutage: boolean;
}
