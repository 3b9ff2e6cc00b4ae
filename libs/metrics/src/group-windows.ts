import { lagOf, type Snapshot, type TopicSnapshot } from '@millrace/admin';
import { CommitWindow } from './model/commit-window.js';
import type { PartitionStatus } from './model/group-status.js';

type Topic = TopicSnapshot['topic'];

/** The commit windows of all groups on all partitions, updated with each snapshot. */
export class GroupWindows {
  readonly #minIntervalMs: number;
  readonly #maxGapMs: number;
  #windows = new Map<string, CommitWindow>();
  #latestAt = 0;

  /**
   * `intervalMs`: the interval between snapshots. After a gap of five intervals the windows start again, since nothing was read
   * meanwhile.
   */
  constructor(intervalMs: number) {
    this.#minIntervalMs = intervalMs / 2;
    this.#maxGapMs = intervalMs * 5;
  }

  observe({ topics }: Snapshot): void {
    const at = Math.max(0, ...topics.map(({ partitions }) => partitions[0]?.at ?? 0));
    if (at - this.#latestAt > this.#maxGapMs) this.#windows.clear();
    this.#latestAt = at;
    const seen = new Map<string, CommitWindow>();
    for (const { topic, partitions } of topics) {
      for (const partition of partitions) {
        for (const offset of partition.groups) {
          const name = nameOf(offset.group, topic, partition.partition);
          const window = this.#windows.get(name) ?? new CommitWindow();
          const { committed, owner } = offset;
          const lag = lagOf(partition, offset);
          window.observe({ at: partition.at, committed, lag, isOwned: owner !== undefined }, this.#minIntervalMs);
          seen.set(name, window);
        }
      }
    }
    // Windows of deleted groups and partitions are removed; those that could not be read start again when they are back.
    this.#windows = seen;
  }

  status(group: string, topic: Topic, partition: number): PartitionStatus {
    return this.#windows.get(nameOf(group, topic, partition))?.status() ?? 'ok';
  }
}

/** By the topic's id: a topic that is declared again starts at offset 0, which is not a rewind. */
function nameOf(group: string, { id }: Topic, partition: number): string {
  return `${group} ${id} ${partition}`;
}
