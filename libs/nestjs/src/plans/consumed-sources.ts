import type { ConsumerPlan } from './consumer-plan.js';
import { overlapOf } from './source-overlap.js';

/** The sources of one connection's consumers: two consumers of the same source would each get only a part of its messages. */
export class ConsumedSources {
  readonly #plans = new Set<ConsumerPlan>();

  /** Why a consumer may not have its source, with the consumer that has it; undefined when it may. */
  problemOf(plan: ConsumerPlan): string | undefined {
    for (const other of this.#plans) {
      const overlap = other === plan ? undefined : overlapOf(other, plan);
      if (overlap !== undefined) return `${plan.label}: ${other.label} consumes from ${overlap} already`;
    }
    return undefined;
  }

  /** Assigns the source to the consumer. */
  add(plan: ConsumerPlan): void {
    this.#plans.add(plan);
  }

  /** Frees the source for other consumers. */
  release(plan: ConsumerPlan): void {
    this.#plans.delete(plan);
  }
}
