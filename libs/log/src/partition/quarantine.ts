import { LeaseLostError } from '@millrace/core';
import { queueKeyOf } from '../model/key-queues.js';
import { Suspicion, suspectFrom } from '../model/suspicion.js';
import type { PartitionWorker } from './partition-worker.js';
import type { RecordTask } from './record-task.js';
import type { WorkerContext } from './worker-context.js';

/**
 * Finds the records that may crash their owners. A suspect is handled alone, so that no other record is blamed for it. Each of its
 * deliveries is counted as a return before it starts, and withdrawn when it has an outcome: so it counts also when its owner crashes.
 */
export class Quarantine {
  readonly #worker: PartitionWorker;
  readonly #context: WorkerContext;
  readonly #deliveryLimit: number;
  readonly #suspectFrom: number;
  readonly #crashes: number;
  /** What earlier owners may have had in flight; undefined: none has ended unexpectedly since the offset moved. */
  readonly #suspicion: Suspicion | undefined;

  /** @param start how many owners have ended without a release since the offset moved, and the log's end now */
  constructor(
    worker: PartitionWorker,
    context: WorkerContext,
    start: { readonly crashes: number; readonly end: number },
  ) {
    const { deliveryLimit, concurrency, batchHandler, batch } = context.options;
    this.#worker = worker;
    this.#context = context;
    this.#deliveryLimit = deliveryLimit;
    this.#suspectFrom = suspectFrom(deliveryLimit);
    this.#crashes = start.crashes;
    if (start.crashes === 0) return;
    const perKey = batchHandler === undefined ? 1 : batch.maxRecords;
    this.#suspicion = new Suspicion(start.end, { records: concurrency * perKey, perKey });
  }

  /**
   * A record is looked at for the first time, in the order of the log. If earlier owners may have had it in flight when they ended, it can
   * become a suspect, and no more: the outcomes of a suspect's deliveries are counted already, and must not count twice.
   */
  inspect(task: RecordTask): void {
    task.returns = this.#worker.offsets.returnsOf(task.offset);
    if (this.#isSuspected(task)) task.returns = Math.max(task.returns, this.#suspectFrom);
    if (this.isOverLimit(task)) task.deadLetter ??= { reason: 'delivery_limit', error: this.#lost(task) };
  }

  suspects(task: RecordTask): boolean {
    return task.returns >= this.#suspectFrom && task.deadLetter === undefined;
  }

  isOverLimit(task: RecordTask): boolean {
    return task.returns > this.#deliveryLimit;
  }

  /** Counts the delivery of a suspect. False: its worker was paused, or lost its lease, meanwhile; its handler must not start. */
  async mayBegin(task: RecordTask): Promise<boolean> {
    const { offsets } = this.#worker;
    offsets.returned(task.offset, task.returns + 1);
    try {
      await offsets.commit();
    } catch (error) {
      this.#context.onError(`note a delivery of ${task.describe()}`, error);
    }
    if (this.#worker.mayStart(performance.now())) return true;
    this.withdraw(task);
    return false;
  }

  /** A delivery had an outcome, or did not start: it is not a return. */
  withdraw(task: RecordTask): void {
    if (task.returns > 0) this.#worker.offsets.returned(task.offset, task.returns);
  }

  /** The lease expired while the record was handled. */
  returned(task: RecordTask): LeaseLostError {
    task.returns++;
    this.#worker.offsets.returned(task.offset, task.returns);
    return this.#lost(task);
  }

  #isSuspected({ offset, key, returns }: RecordTask): boolean {
    const mayHaveBeenInFlight =
      this.#suspicion?.covers(offset, queueKeyOf(this.#context.options.ordering, key)) === true;
    return mayHaveBeenInFlight && returns + this.#crashes >= this.#suspectFrom;
  }

  #lost(task: RecordTask): LeaseLostError {
    const { leaseMs } = this.#context.options;
    return new LeaseLostError(
      `${task.describe()}: its owner's process ended, or the lease on its partition (leaseMs ${leaseMs}) expired while it was handled, ` +
        `${task.returns} times in all: its handler blocks the event loop or crashes the process, or the process or Redis stalled for that long.`,
    );
  }
}
