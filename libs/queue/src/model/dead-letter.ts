import { type DeadLetterReason, deadLettersOf, type Failure } from '@millrace/core';
import { type Death, withDeath } from './death.js';
import type { FrameInput, StoredMessage, StoredProperties } from './message-frame.js';
import type { DeadLetterTarget, QueueSettings } from './queue-settings.js';

/** The data in the line of a dead letter. */
export interface WhyDead {
  readonly reason: DeadLetterReason;
  /** When it died, in ms since 1970. */
  readonly time: number;
  readonly error?: Failure | undefined;
  readonly handler?: string | undefined;
  /** Only these queues have not taken it yet: the others of its exchange have. */
  readonly to?: readonly string[] | undefined;
}

/** Reads the line of a dead letter. An unreadable one counts as a failure of unknown kind: the message is still carried on. */
export function parseWhyDead(json: string): WhyDead {
  try {
    const { reason, time, error, handler, to } = JSON.parse(json) as Partial<WhyDead>;
    return {
      reason: typeof reason === 'string' ? reason : 'failed',
      time: typeof time === 'number' && Number.isFinite(time) ? time : 0,
      ...(typeof error === 'object' && error !== null ? { error } : {}),
      ...(typeof handler === 'string' ? { handler } : {}),
      ...(Array.isArray(to) && to.every((queue) => typeof queue === 'string') ? { to } : {}),
    };
  } catch {
    return { reason: 'failed', time: 0 };
  }
}

/** Where dead letters of a queue go. */
export function deadLetterTarget(settings: QueueSettings): DeadLetterTarget {
  return settings.deadLetter ?? { exchange: '', routingKey: deadLettersOf(settings.name) };
}

/** A message as it is forwarded after it died: with one more line of history, and without the expiration that ended it. */
export function asDeadLetter(
  message: StoredMessage,
  queue: string,
  why: WhyDead,
  target: DeadLetterTarget,
): FrameInput {
  const { expirationMs, ...others } = message.properties;
  const death: Omit<Death, 'count'> = {
    queue,
    reason: why.reason,
    exchange: message.exchange,
    routingKeys: [message.routingKey],
    time: why.time,
    ...(expirationMs === undefined ? {} : { originalExpirationMs: expirationMs }),
    ...(why.error === undefined ? {} : { error: why.error }),
  };
  return {
    ...message,
    exchange: target.exchange,
    routingKey: target.routingKey ?? message.routingKey,
    properties: others satisfies StoredProperties,
    deaths: withDeath(message.deaths, death),
  };
}

/**
 * Whether a message would loop endlessly: it returns to a queue where it was before, and no handler had it in between (it
 * only expired, or exceeded a limit). RabbitMQ drops it then.
 */
export function isCycle(deaths: readonly Death[], destination: string): boolean {
  for (const { queue, reason } of deaths) {
    if (reason !== 'expired' && reason !== 'maxlen') return false;
    if (queue === destination) return true;
  }
  return false;
}
