/**
 * Every key of the log. The hash tag is written here and nowhere else: all keys of one partition share a slot of a
 * cluster, so each script runs whole on one node. docs/keyspace.md tells what is in them.
 */
export interface PartitionKeys {
  /** Stream: one entry a record batch, entry id `0-<end offset after the batch>`. Its groups hold the committed offsets. */
  readonly records: string;
  /** Hash: `end`, `start` (offsets), `bytes` (of batches). */
  readonly meta: string;
  /** Hash: producer id → what it appended last, so that a repeated batch is known. */
  readonly producers: string;
}

export function partitionKeys(prefix: string, topic: string, partition: number): PartitionKeys {
  const base = `${prefix}:{log:${topic}:${partition}}`;
  return { records: `${base}:records`, meta: `${base}:meta`, producers: `${base}:producers` };
}

/** Hash in a partition's slot: one group's lease on the partition (`owner`, `epoch`, `until`) and what belongs to its commit. */
export function groupPartitionKey(prefix: string, topic: string, partition: number, group: string): string {
  return `${prefix}:{log:${topic}:${partition}}:group:${group}`;
}

/** Hash: topic name → its settings as JSON. */
export function topicsKey(prefix: string): string {
  return `${prefix}:{topology}:topics`;
}
