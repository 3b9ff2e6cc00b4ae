import { EventEmitter } from 'node:events';
import { brand, type DeadLetterReason, describeFailure, isThenable, messageOf, type Outcome } from '@millrace/core';
import type { HandlerLabels, MessageIdentity, RunningConsumer } from './event-labels.js';
import type { HandledRun } from './handled-run.js';
import { ReportLimit } from './report-limit.js';

/** All events: logs, metrics and traces are three subscribers. Payloads are plain data. */
export interface MillraceEvents {
  /** A handler ended, successfully or not. */
  handled: [
    event: HandlerLabels & {
      readonly outcome: Outcome['kind'];
      readonly attempt: number;
      readonly durationMs: number;
      /** The timestamp of a single message, in ms since 1970, by its sender's clock. */
      readonly timestamp?: number | undefined;
      /** When its handler began, by `performance.now()` of this process. Default: `durationMs` ago. */
      readonly startedAt?: number | undefined;
    },
  ];
  /** A handler ended after its attempt had been given up (`abortGraceMs`): its result is ignored. */
  'late-outcome': [
    event: HandlerLabels & {
      readonly outcome: Outcome['kind'];
      readonly attempt: number;
      /** Describes the message or batch that it handled. */
      readonly subject: string;
      /** The error that it threw. */
      readonly error?: unknown;
    },
  ];
  /** A failed message will be handled again. */
  'retry-scheduled': [
    event: HandlerLabels &
      MessageIdentity & { readonly attempt: number; readonly delayMs: number; readonly error: unknown },
  ];
  /** A message was given up and becomes a dead letter, with its reason. One that can go nowhere is `parked` then. */
  'dead-lettered': [
    event: HandlerLabels & MessageIdentity & { readonly reason: DeadLetterReason; readonly error: unknown },
  ];
  /** A message was given up and not kept: it has no dead-letter destination. */
  discarded: [event: HandlerLabels & MessageIdentity & { readonly reason: DeadLetterReason; readonly error: unknown }];
  /**
   * A message was set aside in its own queue, where `broker.queue(name).parked()` lists it. `no-handler`: no handler matches it;
   * `undecodable`: its bytes are no message, so that no other queue can take it; another reason: it became a dead letter that can go nowhere.
   */
  parked: [
    event: {
      /** `queue:notifications`. */
      readonly source: string;
      readonly messageId: string;
      readonly reason: DeadLetterReason | 'no-handler';
      /** Why it was given up. */
      readonly error?: unknown;
    },
  ];
  /**
   * The reply to a message was not sent; the message is settled nevertheless. `requester-gone`: the requester no longer waits for it.
   * `replyTo` names `queue`, which is not among the consumer's `replyQueues` (`not-allowed`), does not exist (`queue-missing`), or is full
   * and refuses it (`queue-full`).
   */
  'reply-dropped': [
    event: HandlerLabels &
      MessageIdentity & {
        readonly why: 'requester-gone' | 'not-allowed' | 'queue-missing' | 'queue-full';
        readonly queue?: string | undefined;
      },
  ];
  /** A lease was lost: another process owns the partition or messages that this process was working on. */
  'lease-lost': [
    event: { readonly source: string; readonly group?: string; readonly partition?: number; readonly epoch?: number },
  ];
  /** A member of this process owns the partition from now on. */
  'partition-assigned': [
    event: { readonly topic: string; readonly partition: number; readonly group: string; readonly epoch: number },
  ];
  /** A member of this process no longer owns the partition. */
  'partition-revoked': [
    event: { readonly topic: string; readonly partition: number; readonly group: string; readonly epoch: number },
  ];
  /** A group's offset moved: `offset` is the next one it will read. */
  committed: [
    event: { readonly topic: string; readonly partition: number; readonly group: string; readonly offset: number },
  ];
  /**
   * The next batch of a partition can only be read by a newer Millrace or Node: its format or its compression is newer than this process.
   * The partition stands still until a process that can read the batch owns it, or its offset is set beyond the batch.
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
   * Another program wrote into the stream of a partition. `removed` is the number of entries that were removed from behind the log's end,
   * where they blocked appends; 0: entries between the log's batches were skipped.
   */
  'foreign-entries': [event: { readonly topic: string; readonly partition: number; readonly removed: number }];
  /** Retention removed records that a registered group had not read. */
  'records-expired-unread': [
    event: { readonly topic: string; readonly partition: number; readonly group: string; readonly count: number },
  ];
  /** A group without members for `offsetsRetentionMs` was removed, with its offsets. */
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
  /**
   * A publish to an exchange or queue ended: Redis confirmed it, or it failed. `routed` is the number of queues and topics that hold it.
   */
  published: [
    event: {
      readonly exchange: string;
      readonly isConfirmed: boolean;
      readonly routed: number;
      readonly isUnroutable: boolean;
    },
  ];
  /** A consumer took messages from its queue; a handler may have worked on `redelivered` of them before. */
  delivered: [event: { readonly source: string; readonly count: number; readonly redelivered: number }];
  /** Messages of a queue were handled and acknowledged in Redis. */
  acknowledged: [event: { readonly source: string; readonly count: number }];
  /** Messages of a queue became dead letters without a handler: `expired`, `maxlen`, `delivery_limit`. */
  died: [event: { readonly source: string; readonly reason: DeadLetterReason; readonly count: number }];
  /** Redis refused a commit: another member owns the partition, it was deleted, or its log ends before the offset. */
  'commit-refused': [
    event: {
      readonly topic: string;
      readonly partition: number;
      readonly group: string;
      readonly why: 'fenced' | 'truncated' | 'diverged' | 'gone';
    },
  ];
  /** A consumer starts. `running()` returns how many of its handlers run; it is valid until the consumer has stopped. */
  'consumer-started': [event: RunningConsumer];
  /** A consumer stopped. The payload is the object of its `consumer-started`. */
  'consumer-stopped': [event: RunningConsumer];
  /**
   * A background duty failed and will be tried again. The same error is emitted at most once per second, and at most ten different ones
   * per duty and class of error; the last one held back is emitted at the end of the second, with the number of the others in `heldBack`.
   */
  'background-error': [event: { readonly duty: string; readonly error: unknown; readonly heldBack?: number }];
}

/**
 * The events of one connection. `emit` with no listener costs a look-up. An error that a listener throws or rejects with does not reach
 * the emitter: the other listeners are called, and it is emitted as `background-error`; an error of a `background-error` listener becomes
 * a process warning.
 */
export class Events extends EventEmitter<MillraceEvents> {
  readonly #limit = new ReportLimit<MillraceEvents['background-error'][0]>((event, heldBack) => {
    const name = 'background-error';
    for (const listener of this.rawListeners(name)) this.#call(name, listener, [{ ...event, heldBack }]);
  });
  readonly #takers = new WeakMap<object, (run: HandledRun) => void>();

  /** A new emitter has no listeners. */
  constructor() {
    super();
    // Each consumer that stops counts its handlers with a listener, and metrics have several: that is no leak.
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

  /** Whether the event has listeners: check it before creating a payload on the hot path. */
  has(event: keyof MillraceEvents): boolean {
    return this.listenerCount(event) > 0;
  }

  /**
   * Listens to `handled` at hundreds of thousands per second: deliveries of a run arrive in one call of `takeRun`, the others as events.
   * `off('handled', listener)` removes both.
   */
  onHandled(listener: (event: MillraceEvents['handled'][0]) => void, takeRun: (run: HandledRun) => void): void {
    this.#takers.set(listener, takeRun);
    this.on('handled', listener);
  }

  /** Emits all deliveries of a run, to each listener of `handled` as it registered, and clears the run. Emits nothing for an empty run. */
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

  /** As `notify` of core, but without a closure per listener and event. */
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

brand({ Events });

type Callable = (...args: never[]) => unknown;

function* eventsOf(run: HandledRun): Iterable<MillraceEvents['handled'][0]> {
  for (let index = 0; index < run.count; index++) {
    const durationMs = run.durationsMs[index] ?? 0;
    const [timestamp, startedAt] = [run.timestamps[index], run.startedAts[index]];
    yield { ...run.labels, outcome: 'completed', attempt: 1, durationMs, timestamp, startedAt };
  }
}
