import type { Events } from '@millrace/delivery';
import type { Groups } from './groups.js';

/** The longest rest between two looks at the groups; a shorter one is a tenth of the retention time. */
const mostRestMs = 3_600_000;

/** Deletes groups that have long had no members, as Kafka does (`offsets.retention.minutes`), so that they do not hold back retention. */
export class GroupExpiry {
  readonly #groups: Groups;
  readonly #events: Events;
  readonly #retentionMs: number;
  #nextAt = 0;

  /** @param retentionMs 0: never */
  constructor(groups: Groups, events: Events, retentionMs: number) {
    this.#groups = groups;
    this.#events = events;
    this.#retentionMs = retentionMs;
  }

  /** Deletes what is due. */
  async run(stopping: AbortSignal, monotonicNow: number): Promise<void> {
    if (this.#retentionMs === 0 || monotonicNow < this.#nextAt) return;
    this.#nextAt = monotonicNow + Math.min(mostRestMs, this.#retentionMs / 10);
    for (const group of await this.#groups.list()) {
      if (stopping.aborted) return;
      if (await this.#groups.expire(group, this.#retentionMs)) this.#events.emit('group-expired', { group });
    }
  }
}
