import { EventEmitter } from 'node:events';
import { type DeadLetterReason, describeFailure, isThenable, messageOf, type Outcome } from '@millrace/core';
import type { HandlerLabels, MessageIdentity, RunningConsumer } from './event-labels.js';
import type { HandledRun } from './handled-run.js';
import { ReportLimit } from './report-limit.js';

/** Everything that can be watched: logs, metrics and traces are three subscribers. Payloads are plain facts. */
export interface MillraceEvents {
  /** A handler ended, well or not. */
  handled: [
    event: HandlerLabels & {
      readonly outcome: Outcome['kind'];
      readonly attempt: number;
      readonly durationMs: number;
      /** Of a single message: its time, in ms since 1970, by its sender's clock. */
      readonly timestamp?: number | undefined;
      /** When its handler began, by `performance.now()` of this process. Default: `durationMs` ago. */
      readonly startedAt?: number | undefined;
    },
  ];
  /** A handler ended after its attempt had been given up (`abortGraceMs`): what it did counts for nothing. */
  'late-outcome': [
    event: HandlerLabels & {
      readonly outcome: Outcome['kind'];
      readonly attempt: number;
      /** What it handled, in words. */
      readonly subject: string;
      /** What it threw. */
      readonly error?: unknown;
    },
  ];
  /** A failed message will be handled again. */
  'retry-scheduled': [
    event: HandlerLabels &
      MessageIdentity & { readonly attempt: number; readonly delayMs: number; readonly error: unknown },
  ];
  /** A message was given up and kept with its reason. */
  'dead-lettered': [
    event: HandlerLabels & MessageIdentity & { readonly reason: DeadLetterReason; readonly error: unknown },
  ];
  /** A message was given up and not kept: it has no dead-letter destination. */
  discarded: [event: HandlerLabels & MessageIdentity & { readonly reason: DeadLetterReason; readonly error: unknown }];
  /**
   * The reply to a message was not sent; the message is settled all the same. `requester-gone`: nobody waits for it any more;
   * `not-allowed`: `replyTo` names `queue`, which is not among the consumer's `replyQueues`.
   */
  'reply-dropped': [
    event: HandlerLabels &
      MessageIdentity & {
        readonly why: 'requester-gone' | 'not-allowed';
        readonly queue?: string | undefined;
      },
  ];
  /** A lease was lost: another owns what this process was working on. */
  'lease-lost': [
    event: { readonly source: string; readonly group?: string; readonly partition?: number; readonly epoch?: number },
  ];
  /** A member of this process owns the partition from now on. */
  'partition-assigned': [
    event: { readonly topic: string; readonly partition: number; readonly group: string; readonly epoch: number },
  ];
  /** A member of this process does not own the partition any more. */
  'partition-revoked': [
    event: { readonly topic: string; readonly partition: number; readonly group: string; readonly epoch: number },
  ];
  /** A group's offset moved: `offset` is the next one it will read. */
  committed: [
    event: { readonly topic: string; readonly partition: number; readonly group: string; readonly offset: number },
  ];
  /**
   * The next batch of a partition can only be read by a newer Millrace or Node: its format or its compression is newer than this
   * process. The partition stands still until a process that can read it owns it, or its offset is set further.
   */
  'batch-unreadable': [
    event: {
      readonly topic: string;
      readonly partition: number;
      readonly group: string;
      readonly offset: number;
      readonly error: unknown;
    },
  ];
  /**
   * Something else than Millrace has written into the stream of a partition. `removed`: so many entries stood behind the log's end, where
   * they kept records from being appended, and are gone; 0: some stand between the log's batches, and were passed over.
   */
  'foreign-entries': [event: { readonly topic: string; readonly partition: number; readonly removed: number }];
  /** Retention removed records that a registered group had not read. */
  'records-expired-unread': [
    event: { readonly topic: string; readonly partition: number; readonly group: string; readonly count: number },
  ];
  /** A group that had no members for `offsetsRetentionMs` was forgotten, with its offsets. */
  'group-expired': [event: { readonly group: string }];
  /** A group's offset was outside the log (retention passed it, or a failover lost the log's tail) and was moved. */
  'offset-out-of-range': [
    event: {
      readonly topic: string;
      readonly partition: number;
      readonly group: string;
      readonly from: number;
      readonly to: number;
      readonly why: 'log-truncated' | 'below-log-start';
    },
  ];
  /** A publish to an exchange or queue is over: Redis confirmed it, or it failed. `routed`: queues and topics that hold it. */
  published: [
    event: {
      readonly exchange: string;
      readonly isConfirmed: boolean;
      readonly routed: number;
      readonly isUnroutable: boolean;
    },
  ];
  /** A consumer took messages from its queue; `redelivered` of them somebody may have worked on before. */
  delivered: [event: { readonly source: string; readonly count: number; readonly redelivered: number }];
  /** Messages of a queue were handled, and Redis knows it. */
  acknowledged: [event: { readonly source: string; readonly count: number }];
  /** Messages of a queue became dead letters by no handler's doing: `expired`, `maxlen`, `delivery_limit`. */
  died: [event: { readonly source: string; readonly reason: DeadLetterReason; readonly count: number }];
  /** Redis refused a commit: the partition is another member's, was deleted, or its log ends before the offset. */
  'commit-refused': [
    event: {
      readonly topic: string;
      readonly partition: number;
      readonly group: string;
      readonly why: 'fenced' | 'truncated' | 'diverged' | 'gone';
    },
  ];
  /** A consumer begins. `running()` tells how many of its handlers are at work; ask it until the consumer has stopped. */
  'consumer-started': [event: RunningConsumer];
  /** The consumer of the event before, the same object. */
  'consumer-stopped': [event: RunningConsumer];
  /**
   * A background duty failed and will be tried again. The same comes once a second at most, and of one duty and class of error ten different
   * ones; the last of those held back comes when the second is over, with `heldBack`: how many more there were.
   */
  'background-error': [event: { readonly duty: string; readonly error: unknown; readonly heldBack?: number }];
}

/**
 * The events of one connection. `emit` with no listener costs a look-up. Whatever a listener throws, or the promise it
 * returns rejects with, goes no further: the other listeners hear of the event, and so does `background-error` (of what its
 * own listeners do wrong, only the process: a warning).
 */
export class Events extends EventEmitter<MillraceEvents> {
  readonly #limit = new ReportLimit<MillraceEvents['background-error'][0]>((event, heldBack) => {
    const name = 'background-error';
    for (const listener of this.rawListeners(name)) this.#call(name, listener, [{ ...event, heldBack }]);
  });
  readonly #takers = new WeakMap<object, (run: HandledRun) => void>();

  /** Without listeners. */
  constructor() {
    super();
    // Each consumer that stops counts its handlers by a listener of its own, and metrics have several: that is no leak.
    this.setMaxListeners(0);
  }

  override emit<K>(
    name: K | keyof MillraceEvents,
    ...args: K extends keyof MillraceEvents ? MillraceEvents[K] : never
  ): boolean {
    if (this.listenerCount(name) === 0) return false;
    if (name === 'background-error') this.#report(args as MillraceEvents['background-error']);
    else for (const listener of this.rawListeners(name)) this.#call(String(name), listener, args);
    return true;
  }

  /** Whether anybody listens: ask before making a payload on the hot path. */
  has(event: keyof MillraceEvents): boolean {
    return this.listenerCount(event) > 0;
  }

  /**
   * Listens to `handled`, for who hears of hundreds of thousands a second: those that are told as a run come in one call of
   * `takeRun`, the others as events. `off('handled', listener)` ends both.
   */
  onHandled(listener: (event: MillraceEvents['handled'][0]) => void, takeRun: (run: HandledRun) => void): void {
    this.#takers.set(listener, takeRun);
    this.on('handled', listener);
  }

  /** Tells of all deliveries of a run, to each listener of `handled` as it wants them, and clears it; of an empty one nobody hears. */
  emitRun(run: HandledRun): void {
    if (run.count === 0) return;
    for (const listener of this.rawListeners('handled')) {
      const takeRun = this.#takers.get(listener);
      if (takeRun !== undefined) this.#call('handled', takeRun, [run]);
      else for (const event of eventsOf(run)) this.#call('handled', listener, [event]);
    }
    run.clear();
  }

  #report([event]: MillraceEvents['background-error']): void {
    const { name, message } = describeFailure(event.error);
    this.#limit.offer(`${event.duty}\n${name}`, message, event);
  }

  /** As `notify` of core, but without a closure for each listener of each event. */
  #call(name: string, listener: Callable, args: readonly unknown[]): void {
    try {
      const answer: unknown = Reflect.apply(listener, this, args);
      if (isThenable(answer)) answer.then(undefined, (error: unknown) => this.#failed(name, error));
    } catch (error) {
      this.#failed(name, error);
    }
  }

  #failed(name: string, error: unknown): void {
    if (name !== 'background-error') this.emit('background-error', { duty: `listener of "${name}"`, error });
    else process.emitWarning(`a listener of "background-error" failed: ${messageOf(error)}`, 'MillraceWarning');
  }
}

type Callable = (...args: never[]) => unknown;

function* eventsOf(run: HandledRun): Iterable<MillraceEvents['handled'][0]> {
  for (let index = 0; index < run.count; index++) {
    const durationMs = run.durationsMs[index] ?? 0;
    const [timestamp, startedAt] = [run.timestamps[index], run.startedAts[index]];
    yield { ...run.labels, outcome: 'completed', attempt: 1, durationMs, timestamp, startedAt };
  }
}
