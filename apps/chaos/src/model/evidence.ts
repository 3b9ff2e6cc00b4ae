import type { EntryOf, JournalEntry, JournaledRecord } from './journal-entry.js';
import type { DoneFault, Observation, PartitionSample, QueueSample } from './observation.js';

/** What is in Redis after the faults have stopped and everything was drained. */
export interface FinalState {
  /** Every record of every topic, read again. */
  readonly records: readonly JournaledRecord[];
  /** Where the dead letters of the log come from. */
  readonly deadRecords: readonly JournaledRecord[];
  /** The dead letters of each queue, by the ids that they were published with. */
  readonly deadMessages: readonly { readonly queue: string; readonly id: string }[];
  /** What is in the queue without consumers, in its order. */
  readonly stayed: readonly string[];
  /** Completed messages that are kept, the newest of each queue first. `completedAt` is Redis' clock, in ms. */
  readonly completed: readonly { readonly queue: string; readonly id: string; readonly completedAt: number }[];
  /** Dead letters, and completed messages, that are not found by their ids. */
  readonly notFound: readonly string[];
  /** Entries without a message that the upkeep should have removed, or that are counted wrong, in words. */
  readonly stale: readonly string[];
  /** What was still waiting when the time to drain was over. */
  readonly undrained: readonly string[];
  /** Keys that were there after everything had been deleted. */
  readonly leftoverKeys: readonly string[];
}

/** What the run promised to keep to. */
export interface Limits {
  /** Most messages a consumer may hold, by queue. */
  readonly prefetch: Readonly<Record<string, number>>;
  /** Most messages that may be ready, by queue, those that come back from dead consumers included. */
  readonly ready: Readonly<Record<string, number>>;
  /** Most completed messages that may be kept, by queue, where their number is limited. */
  readonly completed: Readonly<Record<string, number>>;
}

/** Everything that was recorded of a run. */
export interface Evidence {
  /** All journals, in the order of their times. */
  readonly journal: readonly JournalEntry[];
  readonly observations: readonly Observation[];
  readonly queueSamples: readonly QueueSample[];
  readonly partitionSamples: readonly PartitionSample[];
  readonly faults: readonly DoneFault[];
  /** Who was there when nothing was broken any more, and had time to do something. */
  readonly crew: Readonly<Record<'producer' | 'consumer', readonly string[]>>;
  /** Since when nothing is broken any more. Times as in the journals. */
  readonly healedAt: number;
  readonly final: FinalState;
  readonly limits: Limits;
  /**
   * A server that takes over may not have all that its predecessor had: what was not confirmed by replicas may be gone,
   * and offsets that were not confirmed may be given again.
   */
  readonly mayLoseUnconfirmed: boolean;
}

export function entriesOf<K extends JournalEntry['kind']>(evidence: Evidence, kind: K): EntryOf<K>[] {
  return evidence.journal.filter((entry) => entry.kind === kind) as EntryOf<K>[];
}

export function recordId({ topic, key, seq }: Pick<JournaledRecord, 'topic' | 'key' | 'seq'>): string {
  return `${topic} ${key} ${seq}`;
}

export function placeOf({ topic, partition, offset }: Omit<JournaledRecord, 'key' | 'seq'>): string {
  return `${topic}/${partition}@${offset}`;
}

export function messageIn(queue: string, id: string): string {
  return `${queue} ${id}`;
}
