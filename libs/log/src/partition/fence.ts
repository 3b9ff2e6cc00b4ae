import { LeaseLostError, pause } from '@millrace/core';
import type { DeliveryContext } from '@millrace/delivery';
import { raiseEpoch } from '../store/lease.js';
import type { PartitionWorker } from './partition-worker.js';
import type { RecordTask } from './record-task.js';
import type { WorkerContext } from './worker-context.js';

/** Raises the epoch of an owner whose handler still runs after its attempt was given up. */
export class Fence {
  readonly #worker: Pick<PartitionWorker, 'lease' | 'place' | 'isClosed'>;
  readonly #context: WorkerContext;
  readonly #onLost: () => void;

  constructor(worker: PartitionWorker, context: WorkerContext) {
    this.#worker = worker;
    this.#context = context;
    this.#onLost = () => context.diverged(worker);
  }

  /**
   * Resolves when the handler of these records has ended, or its attempt is given up: then they keep their epoch, and what starts
   * next has a higher one.
   */
  async released(attempt: DeliveryContext, tasks: Iterable<RecordTask>): Promise<void> {
    await attempt.handlerReleased();
    if (!attempt.isGivenUp) return;
    for (const task of tasks) task.keepEpoch();
    await this.#raise();
  }

  /**
   * Raises the epoch, in Redis too. Resolves when that is done, or this member has lost the partition; retries while Redis is
   * unreachable.
   */
  async #raise(): Promise<void> {
    const { lease, place } = this.#worker;
    lease.raiseEpoch();
    for (let failures = 0; !this.#worker.isClosed && !lease.isLost; failures++) {
      try {
        if (!(await raiseEpoch(this.#context.connection.commands, place, lease.holder, lease.epoch))) this.#onLost();
        return;
      } catch (error) {
        this.#context.onError(`raise the epoch of topic "${place.topic}", partition ${place.partition}`, error);
        await pause(Math.min(50 * 2 ** failures, 1000), { ref: false });
      }
    }
  }
}

/** The error for a handler that commits after its attempt was given up. */
export function givenUp(context: DeliveryContext): LeaseLostError {
  return new LeaseLostError(
    `${context.describe()}: attempt ${context.attempt} was given up, because its handler did not end within abortGraceMs after its ` +
      'signal was aborted. Nothing was committed: another attempt decides.',
  );
}
