import type { Events } from '@millrace/delivery';
import type { Groups } from './groups.js';

/** Groups are looked at no more often than so, or ten times in the time that they are kept. */
const mostRestMs = 3_600_000;

/** Forgets groups that have had no members for long, as Kafka does (`offsets.retention.minutes`): a laptop's holds back nothing for ever. */
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

  /** Does what is due by now. */
  async run(stopping: AbortSignal, monotonicNow: number): Promise<void> {
    if (this.#retentionMs === 0 || monotonicNow < this.#nextAt) return;
    this.#nextAt = monotonicNow + Math.min(mostRestMs, this.#retentionMs / 10);
    for (const group of await this.#groups.list()) {
      if (stopping.aborted) return;
      if (await this.#groups.expire(group, this.#retentionMs)) this.#events.emit('group-expired', { group });
    }
  }
}
