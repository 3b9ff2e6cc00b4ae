import { Fifo } from '@millrace/core';
import { deadLetterHeaders, originOf } from '../model/dead-letter.js';
import { KeyQueues, type Ordering, queueKeyOf } from '../model/key-queues.js';
import { asksForDeadLetters } from '../model/subscription.js';
import type { PartitionBuffer } from './partition-buffer.js';
import type { Quarantine } from './quarantine.js';
import type { RecordTask } from './record-task.js';
import { RetryTimer } from './retry-timer.js';

/** Which record of a partition may run next: among those fetched, waiting behind their key, and waiting for a retry. */
export class PartitionQueue {
  readonly #buffer: PartitionBuffer;
  readonly #quarantine: Quarantine;
  readonly #ordering: Ordering;
  readonly #group: string;
  readonly #skipsDeadLetters: boolean;
  readonly #keyQueues = new KeyQueues<RecordTask>();
  /** Hold their key, and come before what was not looked at yet. */
  readonly #ready = new Fifo<RecordTask>();
  readonly #retries: RetryTimer;
  readonly #skip: (task: RecordTask) => void;

  constructor(
    buffer: PartitionBuffer,
    quarantine: Quarantine,
    topic: string,
    setting: { readonly ordering: Ordering; readonly group: string; readonly topics: readonly string[] | RegExp },
    on: { readonly ready: () => void; readonly skip: (task: RecordTask) => void },
  ) {
    this.#buffer = buffer;
    this.#quarantine = quarantine;
    this.#ordering = setting.ordering;
    this.#group = setting.group;
    // A consumer may choose its own dead-letter topic, which no declaration marks as one: the records' headers do.
    const { topics } = setting;
    this.#skipsDeadLetters = topics instanceof RegExp && !asksForDeadLetters(topics.source, topic);
    this.#skip = on.skip;
    this.#retries = new RetryTimer((task) => {
      this.#ready.push(task);
      on.ready();
    });
  }

  /** Records that wait for their next attempt. */
  get retrying(): number {
    return this.#retries.size;
  }

  /** An upper bound of the records that could be taken without another fetch. */
  get available(): number {
    return this.#ready.size + this.#buffer.unread;
  }

  /**
   * A record that may run now. It must be finished, or `hold` its key, before another is taken: most end synchronously, and never
   * meet another of their key.
   */
  take(): RecordTask | undefined {
    return this.#ready.shift() ?? this.#takeUnread();
  }

  /** As many as may run together: several of one key, in order, are allowed, since one handler gets them all. */
  takeBatch(max: number): RecordTask[] {
    const batch: RecordTask[] = [];
    const keys = new Set<string>();
    while (batch.length < max) {
      const task = this.#ready.shift() ?? this.#pull();
      if (task === undefined) break;
      const isAlone = task.deadLetter !== undefined || this.#quarantine.suspects(task);
      if (isAlone && batch.length > 0) {
        this.#ready.putBack([task]);
        break;
      }
      if (!this.#joins(task, keys)) continue;
      batch.push(task);
      if (isAlone) break;
    }
    return batch;
  }

  /** A record keeps running: those of its key wait until `finish`. */
  lockKey(task: RecordTask): void {
    if (task.hasKeyLock) return;
    task.hasKeyLock = true;
    const key = this.queueKeyOf(task);
    if (key !== undefined) this.#keyQueues.enter(key, task);
  }

  /** A record is done, or given up: the next one of its key may run. */
  finish(task: RecordTask): void {
    this.#buffer.release(task);
    if (!task.hasKeyLock) return;
    const key = this.queueKeyOf(task);
    if (key !== undefined) this.unlockKey(key);
  }

  /** A record of a batch is done; `leave` releases its key when the whole batch is. */
  finishInBatch(task: RecordTask): void {
    this.#buffer.release(task);
  }

  unlockKey(key: string): void {
    const next = this.#keyQueues.leave(key);
    if (next === undefined) return;
    next.hasKeyLock = true;
    this.#ready.push(next);
  }

  /** A record that was taken is not started: it is the next one again. */
  putBack(task: RecordTask): void {
    this.lockKey(task);
    this.#ready.putBack([task]);
  }

  /** Keeps the record's key and runs it again after `delayMs`. */
  retry(task: RecordTask, delayMs: number): void {
    task.hasKeyLock = true;
    if (delayMs === 0) {
      this.#ready.push(task);
      return;
    }
    this.#buffer.detach(task);
    const key = this.queueKeyOf(task);
    if (key !== undefined) for (const waiting of this.#keyQueues.waiting(key)) this.#buffer.detach(waiting);
    this.#retries.add(task, delayMs);
  }

  /** Queues these behind the record that holds their key, before all others. */
  queueBehind(tasks: readonly RecordTask[]): void {
    const key = tasks[0] === undefined ? undefined : this.queueKeyOf(tasks[0]);
    if (key !== undefined) this.#keyQueues.putBack(key, tasks);
  }

  /** Records with the same key must wait for each other. */
  queueKeyOf(task: RecordTask): string | undefined {
    return queueKeyOf(this.#ordering, task.key);
  }

  clear(): void {
    this.#retries.clear();
    this.#ready.clear();
    this.#keyQueues.clear();
  }

  #takeUnread(): RecordTask | undefined {
    for (;;) {
      // With one key for all records, looking further finds nothing.
      if (this.#ordering === 'partition' && this.#keyQueues.isBusy('')) return undefined;
      const task = this.#pull();
      if (task === undefined) return undefined;
      const key = this.queueKeyOf(task);
      if (key === undefined || !this.#keyQueues.isBusy(key)) return task;
      this.#keyQueues.enter(key, task);
    }
  }

  /** Whether a task may run in a batch that has these keys already; otherwise it waits in the queue of its key. */
  #joins(task: RecordTask, keys: Set<string>): boolean {
    const key = this.queueKeyOf(task);
    if (key === undefined) return true;
    // It would overtake those of its key that wait already.
    if (!task.hasKeyLock && keys.has(key) && !this.#keyQueues.hasWaiting(key)) return true;
    if (!task.hasKeyLock && !this.#keyQueues.enter(key, task)) return false;
    task.hasKeyLock = true;
    keys.add(key);
    return true;
  }

  /**
   * The next record that this group has to handle: skips those sent back for another group, and dead letters without a subscriber by
   * name.
   */
  #pull(): RecordTask | undefined {
    for (;;) {
      const task = this.#buffer.pull();
      if (task === undefined) return undefined;
      const { headers } = task;
      const redrivenFor = headers[deadLetterHeaders.redrivenFor];
      const isOurs = redrivenFor === undefined || redrivenFor === this.#group;
      if (isOurs && !(this.#skipsDeadLetters && originOf(headers) !== undefined)) {
        this.#quarantine.inspect(task);
        return task;
      }
      this.#skip(task);
      this.#buffer.release(task);
    }
  }
}
