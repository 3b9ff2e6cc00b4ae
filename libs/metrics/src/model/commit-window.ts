import type { PartitionStatus } from './group-status.js';

/** The state of a group on a partition at one moment. */
export interface Observation {
  /** In ms by Redis's clock. */
  readonly at: number;
  readonly committed: number;
  readonly lag: number;
  /** Whether a member holds the partition: its heartbeat stands for Kafka's periodic commit, which need not move the offset. */
  readonly isOwned: boolean;
}

/** Burrow's default number of commits (`storage.intervals`). */
export const windowCommits = 10;
/** With fewer observations than this a group counts as OK. */
const fewestLooks = 3;

/**
 * The latest commits of a group on a partition, and Burrow's status over them (core/internal/evaluator/caching.go): without thresholds,
 * only whether the group makes progress.
 */
export class CommitWindow {
  #commits: Observation[] = [];
  #latest: Observation | undefined;
  #looks = 0;

  /** Adds an observation; one that follows the previous within `minIntervalMs` only corrects the lag. */
  observe(seen: Observation, minIntervalMs: number): void {
    const last = this.#commits.at(-1);
    const before = this.#latest;
    if (before !== undefined && seen.at - before.at < minIntervalMs && seen.committed === before.committed) {
      this.#latest = { ...before, lag: seen.lag };
      return;
    }
    this.#latest = seen;
    this.#looks++;
    // The first observation counts as a commit: a member must have made it.
    if (last === undefined || seen.isOwned || seen.committed !== last.committed) {
      this.#commits = [...this.#commits, seen].slice(-windowCommits);
    }
  }

  status(): PartitionStatus {
    const now = this.#latest;
    if (now === undefined || now.lag === 0 || this.#looks < fewestLooks) return 'ok';
    // Burrow 1.3.6 and later: a stopped group is in error even if it had caught up before.
    if (hasStopped(this.#commits, now.at)) return 'stop';
    if (this.#commits.some(({ lag }) => lag === 0)) return 'ok';
    if (pairs(this.#commits).some(([before, after]) => after.committed < before.committed)) return 'rewind';
    if (pairs(this.#commits).every(([before, after]) => after.committed === before.committed)) return 'stall';
    if (pairs(this.#commits).every(([before, after]) => after.lag >= before.lag)) return 'warning';
    return 'ok';
  }
}

/** No commit for longer than the whole window spans. */
function hasStopped(commits: readonly Observation[], now: number): boolean {
  const first = commits[0]?.at ?? now;
  const last = commits.at(-1)?.at ?? now;
  return now - last > last - first;
}

function pairs(commits: readonly Observation[]): [before: Observation, after: Observation][] {
  return commits.slice(1).map((after, index) => [commits[index] ?? after, after]);
}
