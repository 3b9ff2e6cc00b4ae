import type { CompletedMessage } from './completed-message.js';
import { countDeliveries, readDeliveries } from './model/deliveries.js';
import type { KeptResult } from './model/kept-result.js';
import type { QueuedMessage } from './queued-message.js';
import type { FoundMessage, JobState } from './store/job.js';

/** One message, and how far it is. */
export interface MessageState {
  /** `running`: a consumer holds it. `completed`: it was handled, and it or its result is still kept. */
  readonly state: JobState | 'completed';
  /** Undefined when it was completed and only its result is kept (`keepResultMs`). */
  readonly message: QueuedMessage | undefined;
  /** The next attempt, the present one, or the one that completed it. */
  readonly attempt: number;
  /** How often it was delivered so far, however that ended. */
  readonly deliveryCount: number;
  /** What its handler last reported with `context.progress()`. */
  readonly progress: unknown;
  /** When a delayed one is due, ms since 1970 by Redis' clock. */
  readonly dueAt: number | undefined;
  /** The id of the consumer that holds it; undefined when none does. */
  readonly consumer: string | undefined;
  /** What its handler returned, where the queue has `keepCompleted` or the consumer `keepResultMs`. */
  readonly result: unknown;
  /** When the handler that completed it began, as far as that is known; ms since 1970 by Redis' clock. */
  readonly startedAt: number | undefined;
  /** When it was completed, where the queue has `keepCompleted`; ms since 1970 by Redis' clock. */
  readonly completedAt: number | undefined;
}

/** The state of a message that its queue holds. */
export function stateOfFound(message: QueuedMessage, found: FoundMessage): MessageState {
  const deliveries = readDeliveries(found.deliveries);
  return {
    state: found.state,
    message,
    attempt: deliveries.failures + 1,
    deliveryCount: countDeliveries(deliveries),
    progress: found.progress === undefined ? undefined : JSON.parse(found.progress),
    dueAt: found.dueAt,
    consumer: found.consumer,
    result: undefined,
    startedAt: undefined,
    completedAt: undefined,
  };
}

/**
 * The state of a message that was completed: by the message that is kept, the result that its consumer kept, or both; undefined when
 * neither is.
 *
 * @param resultJson of a `KeptResult`
 */
export function stateOfCompleted(
  message: CompletedMessage | undefined,
  resultJson: string | undefined,
): MessageState | undefined {
  const kept = resultJson === undefined ? undefined : (JSON.parse(resultJson) as KeptResult);
  const completed = message ?? kept;
  if (completed === undefined) return undefined;
  return {
    state: 'completed',
    message,
    attempt: completed.attempt,
    deliveryCount: completed.deliveryCount,
    progress: undefined,
    dueAt: undefined,
    consumer: undefined,
    result: message?.result ?? kept?.value,
    startedAt: message?.startedAt,
    completedAt: message?.completedAt,
  };
}
