import { Fifo } from '@millrace/core';
import { deadLetterHeaders, originOf } from '../model/dead-letter.js';
import { Lanes, laneOf, type Ordering } from '../model/lanes.js';
import { asksForDeadLetters } from '../model/subscription.js';
import type { PartitionBuffer } from './partition-buffer.js';
import type { Quarantine } from './quarantine.js';
import type { RecordTask } from './record-context.js';
import { RetryTimer } from './retry-timer.js';

/** Which record of a partition may run next: what was fetched, what waits behind its key, and what waits for a retry. */
export class PartitionQueue {
  readonly #buffer: PartitionBuffer;
  readonly #quarantine: Quarantine;
  readonly #ordering: Ordering;
  readonly #group: string;
  readonly #skipsDeadLetters: boolean;
  readonly #lanes = new Lanes<RecordTask>();
  /** Have their lane, and come before what was not looked at yet. */
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
    // Where a consumer chose the topic of its dead letters, no declaration says what it is: the records do.
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

  /** Records that could be taken without another fetch, at most. */
  get available(): number {
    return this.#ready.size + this.#buffer.unread;
  }

  /**
   * A record that may run now. It must be finished, or `hold` its lane, before another is taken: most end at once, and never
   * meet another of their key.
   */
  take(): RecordTask | undefined {
    return this.#ready.shift() ?? this.#takeUnread();
  }

  /** As many as may run together: of one key there may be several, in order, since one handler gets them all. */
  takeBatch(max: number): RecordTask[] {
    const batch: RecordTask[] = [];
    const lanes = new Set<string>();
    while (batch.length < max) {
      const task = this.#ready.shift() ?? this.#pull();
      if (task === undefined) break;
      const isAlone = task.deadLetter !== undefined || this.#quarantine.suspects(task);
      if (isAlone && batch.length > 0) {
        this.#ready.putBack([task]);
        break;
      }
      if (!this.#joins(task, lanes)) continue;
      batch.push(task);
      if (isAlone) break;
    }
    return batch;
  }

  /** A record goes on for a while: those of its lane wait until `finish`. */
  hold(task: RecordTask): void {
    if (task.holdsLane) return;
    task.holdsLane = true;
    const lane = this.laneOf(task);
    if (lane !== undefined) this.#lanes.enter(lane, task);
  }

  /** A record is done, or given up: whoever waits behind it comes next. */
  finish(task: RecordTask): void {
    this.#buffer.release(task);
    if (!task.holdsLane) return;
    const lane = this.laneOf(task);
    if (lane !== undefined) this.leave(lane);
  }

  /** A record of a batch is done; its lane is left by `leave` when all of the batch are. */
  finishInBatch(task: RecordTask): void {
    this.#buffer.release(task);
  }

  leave(lane: string): void {
    const next = this.#lanes.leave(lane);
    if (next === undefined) return;
    next.holdsLane = true;
    this.#ready.push(next);
  }

  /** A record that was taken is not begun: it is the next one again. */
  putBack(task: RecordTask): void {
    this.hold(task);
    this.#ready.putBack([task]);
  }

  /** Keeps the record's lane and runs it again after `delayMs`. */
  retry(task: RecordTask, delayMs: number): void {
    task.holdsLane = true;
    if (delayMs === 0) {
      this.#ready.push(task);
      return;
    }
    this.#buffer.detach(task);
    const lane = this.laneOf(task);
    if (lane !== undefined) for (const waiting of this.#lanes.waiting(lane)) this.#buffer.detach(waiting);
    this.#retries.add(task, delayMs);
  }

  /** Lets these wait behind the one that holds their lane, before all others. */
  queueBehind(tasks: readonly RecordTask[]): void {
    const lane = tasks[0] === undefined ? undefined : this.laneOf(tasks[0]);
    if (lane !== undefined) this.#lanes.putBack(lane, tasks);
  }

  /** Records with the same lane must wait for each other. */
  laneOf(task: RecordTask): string | undefined {
    return laneOf(this.#ordering, task.key);
  }

  clear(): void {
    this.#retries.clear();
    this.#ready.clear();
    this.#lanes.clear();
  }

  #takeUnread(): RecordTask | undefined {
    for (;;) {
      // With one lane for all, looking further is of no use.
      if (this.#ordering === 'partition' && this.#lanes.isBusy('')) return undefined;
      const task = this.#pull();
      if (task === undefined) return undefined;
      const lane = this.laneOf(task);
      if (lane === undefined || !this.#lanes.isBusy(lane)) return task;
      this.#lanes.enter(lane, task);
    }
  }

  /** Whether a task may run in a batch that has these lanes already; else it waits in its lane. */
  #joins(task: RecordTask, lanes: Set<string>): boolean {
    const lane = this.laneOf(task);
    if (lane === undefined) return true;
    // Behind those who wait already, it would overtake them.
    if (!task.holdsLane && lanes.has(lane) && !this.#lanes.hasWaiting(lane)) return true;
    if (!task.holdsLane && !this.#lanes.enter(lane, task)) return false;
    task.holdsLane = true;
    lanes.add(lane);
    return true;
  }

  /** The next record that this group has to handle: not one sent back for another group, nor a dead letter nobody asked for. */
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
