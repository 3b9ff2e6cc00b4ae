import type { CompletedMessage } from './completed-message.js';
import { countDeliveries, readDeliveries } from './model/deliveries.js';
import { parseKeptResult, readProgress } from './model/kept-result.js';
import type { QueuedMessage } from './queued-message.js';
import type { FoundMessage, JobState } from './store/job.js';

/** One message, and its state. */
export interface MessageState<T = unknown, R = unknown> {
  /**
   * `running`: a consumer holds it. `completed`: it was handled, and it or its result is still kept. `dying`: it is a dead letter on its
   * way. `dead-lettered`: it is a dead letter in `queue`.
   */
  readonly state: JobState | 'completed' | 'dead-lettered';
  /** Where it is: the given queue, or the one that its dead letter is in. */
  readonly queue: string;
  /** Undefined when it was completed and only its result is kept (`keepResultMs`). */
  readonly message: QueuedMessage<T> | undefined;
  /** The next attempt, the present one, or the one that completed it. 0 for a dead letter, whose attempts are no longer stored. */
  readonly attempt: number;
  /** How many times it was delivered so far, however those deliveries ended. 0 for a dead letter. */
  readonly deliveryCount: number;
  /** What its handler last reported with `context.progress()`. */
  readonly progress: unknown;
  /** When a delayed one is due, ms since 1970 by Redis' clock. */
  readonly dueAt: number | undefined;
  /** The id of the consumer that holds it; undefined when none does. */
  readonly consumer: string | undefined;
  /** What its handler returned, where the queue has `keepCompleted` or the consumer `keepResultMs`. */
  readonly result: R | undefined;
  /** When the handler that completed it began, if known; in ms since 1970 by Redis' clock. */
  readonly startedAt: number | undefined;
  /** When it was completed, where the queue has `keepCompleted`; in ms since 1970 by Redis' clock. */
  readonly completedAt: number | undefined;
}

/** The state of a message that its queue holds. */
export function stateOfFound<T, R>(queue: string, message: QueuedMessage<T>, found: FoundMessage): MessageState<T, R> {
  const deliveries = readDeliveries(found.deliveries);
  return {
    state: found.state,
    queue,
    message,
    attempt: deliveries.failures + 1,
    deliveryCount: countDeliveries(deliveries),
    progress: readProgress(found.progress),
    dueAt: found.dueAt,
    consumer: found.consumer,
    result: undefined,
    startedAt: undefined,
    completedAt: undefined,
  };
}

/**
 * The state of a message that was completed: from the message that is kept, the result that its consumer kept, or both; undefined when
 * neither is.
 *
 * @param resultJson of a `KeptResult`
 */
export function stateOfCompleted<T, R>(
  queue: string,
  message: CompletedMessage<T, R> | undefined,
  resultJson: string | undefined,
): MessageState<T, R> | undefined {
  const kept = resultJson === undefined ? undefined : parseKeptResult(resultJson);
  const completed = message ?? kept;
  if (completed === undefined) return undefined;
  return {
    state: 'completed',
    queue,
    message,
    attempt: completed.attempt,
    deliveryCount: completed.deliveryCount,
    progress: undefined,
    dueAt: undefined,
    consumer: undefined,
    // `null` is a result.
    result: message?.result === undefined ? (kept?.value as R | undefined) : message.result,
    startedAt: message?.startedAt,
    completedAt: message?.completedAt,
  };
}

/** The state of a message that died, with its dead letter. */
export function stateOfDeadLetter<T, R>(queue: string, message: QueuedMessage<T>): MessageState<T, R> {
  return {
    state: 'dead-lettered',
    queue,
    message,
    attempt: 0,
    deliveryCount: 0,
    progress: undefined,
    dueAt: undefined,
    consumer: undefined,
    result: undefined,
    startedAt: undefined,
    completedAt: undefined,
  };
}
