import { type Outcome, settle } from '@millrace/core';
import { stepAfter } from '../model/attempt-state.js';
import type { DeadLetterCause } from '../model/dead-letter.js';
import type { PartitionWorker } from './partition-worker.js';
import type { RecordTask } from './record-task.js';
import type { WorkerContext } from './worker-context.js';

/** A record to be handled again. */
export interface NextAttempt {
  readonly task: RecordTask;
  readonly delayMs: number;
}

/** How long to wait before a dead letter that could not be written is tried again. */
const deadLetterRetryMs = 1000;

/** Carries out an outcome: the offset advances, the record is handled again, or it becomes a dead letter. */
export class RecordSettler {
  readonly #worker: PartitionWorker;
  readonly #context: WorkerContext;
  readonly #isManual: boolean;

  constructor(worker: PartitionWorker, context: WorkerContext) {
    this.#worker = worker;
    this.#context = context;
    this.#isManual = context.options.commit === 'manual';
  }

  /** The handler succeeded. With manual commits the record is done when the handler commits it. */
  completed(task: RecordTask): undefined {
    if (task.isCommitted) return;
    if (this.#isManual) this.#worker.quarantine.withdraw(task);
    else this.#worker.complete(task);
  }

  /** Everything but a plain success. Returns the record if it has to be handled again; otherwise it is finished. */
  async settle(task: RecordTask, outcome: Outcome): Promise<NextAttempt | undefined> {
    if (task.isCommitted) return undefined;
    const { retry } = this.#context.options;
    const report = (callback: string, error: unknown): void => {
      this.#context.onError(`${callback} of ${this.#context.labelsOf(task.topic).handler}`, error);
    };
    const settlement = settle(outcome, task.attempt, retry, Math.random(), report);
    const { quarantine, isLeaving } = this.#worker;
    const step = stepAfter(settlement, { isManual: this.#isManual, isLeaving });
    if (step.kind !== 'count-return') quarantine.withdraw(task);
    switch (step.kind) {
      case 'complete':
        this.#worker.complete(task);
        return undefined;
      case 'await-commit':
        return undefined;
      case 'hand-over':
        return { task: task.nextAttempt(task.attempt), delayMs: 0 };
      case 'count-return':
        return this.#returned(task);
      case 'retry':
        return this.#retry(task, step.delayMs, step.countsAsAttempt, step.error);
      case 'dead-letter':
        return this.deadLetter(task, step);
      default:
        return step satisfies never;
    }
  }

  /** Writes the dead letter of a record that is given up. Until it is written, the record is not finished. */
  async deadLetter(task: RecordTask, { reason, error }: DeadLetterCause): Promise<NextAttempt | undefined> {
    const { deadLetters, events, onError } = this.#context;
    const cause = { reason, error };
    // A member that lost its lease must not write what the new owner decides.
    if (!this.#worker.lease.isValid(performance.now())) return deadLetterLater(task, cause, 0);
    const { topic, partition, group, record, codecId, lastOffset, attempt } = task;
    const dead = { topic, partition, group, record, codecId, lastOffset, attempts: attempt, ...cause };
    const { offsets, lease } = this.#worker;
    const origin = { topicId: lease.topicId, floor: offsets.confirmed, pass: passOf(lease.rewinds, task) };
    try {
      const isKept = await deadLetters.write(dead, origin);
      this.#worker.complete(task);
      const about = { ...this.#context.labelsOf(topic), partition, offset: task.offset, key: task.key };
      events.emit(isKept ? 'dead-lettered' : 'discarded', { ...about, ...cause });
      return undefined;
    } catch (failure) {
      onError(`write the dead letter of ${task.describe()}`, failure);
      return deadLetterLater(task, cause, deadLetterRetryMs);
    }
  }

  /** It ended without an outcome. That is no failed attempt, but the number of lost leases is limited. */
  async #returned(task: RecordTask): Promise<NextAttempt | undefined> {
    const { quarantine } = this.#worker;
    const error = quarantine.returned(task);
    this.#context.onError(`handle ${task.describe()}`, error);
    if (quarantine.isOverLimit(task)) return this.deadLetter(task, { reason: 'delivery_limit', error });
    return { task: task.nextAttempt(task.attempt), delayMs: 0 };
  }

  #retry(task: RecordTask, delayMs: number, countsAsAttempt: boolean, error: unknown): NextAttempt {
    if (countsAsAttempt) this.#worker.offsets.failed(task.offset, task.attempt);
    const { topic, partition, offset, key, attempt } = task;
    const about = { ...this.#context.labelsOf(topic), partition, offset, key };
    this.#context.events.emit('retry-scheduled', { ...about, attempt, delayMs, error });
    return { task: task.nextAttempt(countsAsAttempt ? attempt + 1 : attempt), delayMs };
  }
}

/** The same offset is another record after the group was set back, or after Redis truncated the log and it grew again. */
function passOf(rewinds: number, { nonce }: RecordTask): string {
  return nonce === undefined ? `${rewinds}` : `${rewinds}.${nonce}`;
}

function deadLetterLater(task: RecordTask, cause: DeadLetterCause, delayMs: number): NextAttempt {
  const next = task.nextAttempt(task.attempt);
  next.deadLetter = cause;
  return { task: next, delayMs };
}
