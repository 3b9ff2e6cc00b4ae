import type { PartitionStatus } from './group-status.js';

/** What was seen of a group on a partition at one moment. */
export interface Observation {
  /** In ms by Redis's clock. */
  readonly at: number;
  readonly committed: number;
  readonly lag: number;
  /** Whether a member holds the partition: its heartbeat is what a periodic commit is in Kafka, moved or not. */
  readonly isOwned: boolean;
}

/** How many commits Burrow looks at by default (`storage.intervals`). */
export const windowCommits = 10;
/** After fewer looks than that nothing is said against a group. */
const fewestLooks = 3;

/**
 * The latest commits of a group on a partition, and Burrow's verdict over them
 * (core/internal/evaluator/caching.go): no thresholds, only whether the group gets on.
 */
export class CommitWindow {
  #commits: Observation[] = [];
  #latest: Observation | undefined;
  #looks = 0;

  /** Takes an observation; one that comes less than `minIntervalMs` after the one before only corrects the lag. */
  observe(seen: Observation, minIntervalMs: number): void {
    const last = this.#commits.at(-1);
    const before = this.#latest;
    if (before !== undefined && seen.at - before.at < minIntervalMs && seen.committed === before.committed) {
      this.#latest = { ...before, lag: seen.lag };
      return;
    }
    this.#latest = seen;
    this.#looks++;
    // The first look is a commit too: somebody must have made it.
    if (last === undefined || seen.isOwned || seen.committed !== last.committed) {
      this.#commits = [...this.#commits, seen].slice(-windowCommits);
    }
  }

  status(): PartitionStatus {
    const now = this.#latest;
    if (now === undefined || now.lag === 0 || this.#looks < fewestLooks) return 'ok';
    // Burrow 1.3.6 and later: a group that stopped is in error even if it had caught up before it did.
    if (hasStopped(this.#commits, now.at)) return 'stop';
    if (this.#commits.some(({ lag }) => lag === 0)) return 'ok';
    if (pairs(this.#commits).some(([before, after]) => after.committed < before.committed)) return 'rewind';
    if (pairs(this.#commits).every(([before, after]) => after.committed === before.committed)) return 'stall';
    if (pairs(this.#commits).every(([before, after]) => after.lag >= before.lag)) return 'warning';
    return 'ok';
  }
}

/** No commit for longer than all commits of the window took. */
function hasStopped(commits: readonly Observation[], now: number): boolean {
  const first = commits[0]?.at ?? now;
  const last = commits.at(-1)?.at ?? now;
  return now - last > last - first;
}

function pairs(commits: readonly Observation[]): [before: Observation, after: Observation][] {
  return commits.slice(1).map((after, index) => [commits[index] ?? after, after]);
}
