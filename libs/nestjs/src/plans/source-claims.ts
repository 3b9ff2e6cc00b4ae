import type { ConsumerPlan } from './consumer-plan.js';
import { overlapOf } from './source-overlap.js';

/** What consumers of one connection consume: a second consumer of the same source would get a part of it, and leave the first a part. */
export class SourceClaims {
  readonly #plans = new Set<ConsumerPlan>();

  /** Why a consumer may not have its source, with the consumer that has it; undefined when it may. */
  problemOf(plan: ConsumerPlan): string | undefined {
    for (const other of this.#plans) {
      const overlap = other === plan ? undefined : overlapOf(other, plan);
      if (overlap !== undefined) return `${plan.label}: ${other.label} consumes from ${overlap} already`;
    }
    return undefined;
  }

  /** The consumer has its source from now on. */
  add(plan: ConsumerPlan): void {
    this.#plans.add(plan);
  }

  /** Others may have its source again. */
  release(plan: ConsumerPlan): void {
    this.#plans.delete(plan);
  }
}
