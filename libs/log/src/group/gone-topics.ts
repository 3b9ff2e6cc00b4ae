import { keepsDeadLetters, TopicNotFoundError } from '@millrace/core';
import type { GroupPlan } from '../model/group-plan.js';
import type { Subscription } from '../model/subscription.js';

const reportEveryMs = 1000;

/**
 * The topics that a member is subscribed to by name, that it had, and that do not exist any more: they were deleted, or Redis lost its data.
 * A topic that never existed is waited for; a topic for dead letters is created with the next one.
 */
export class GoneTopics {
  readonly #subscribed: readonly string[];
  readonly #had = new Set<string>();
  #reportedAt = Number.NEGATIVE_INFINITY;

  constructor(subscription: Subscription) {
    const names = subscription.kind === 'topics' ? subscription.topics : [];
    this.#subscribed = names.filter((name) => !keepsDeadLetters(name));
  }

  /** An error for each of them, judged by a current plan; once per second at most. */
  report({ topics }: GroupPlan): TopicNotFoundError[] {
    for (const name of this.#subscribed) if (topics.has(name)) this.#had.add(name);
    const gone = this.#subscribed.filter((name) => this.#had.has(name) && !topics.has(name));
    const now = performance.now();
    if (gone.length === 0 || now - this.#reportedAt < reportEveryMs) return [];
    this.#reportedAt = now;
    return gone.map((name) => new TopicNotFoundError(name));
  }
}
