import type { DeadLetterReason } from '@millrace/core';

/**
 * One line of a message's history of deaths, RabbitMQ's `x-death`: the newest first, one line a queue and reason, with
 * a count of how often.
 */
export interface Death {
  /** The queue in which it died. */
  readonly queue: string;
  /** Why. */
  readonly reason: DeadLetterReason;
  /** How often, for this reason in this queue. */
  readonly count: number;
  /** The exchange and keys through which the message had come into that queue. */
  readonly exchange: string;
  /** See `exchange`. */
  readonly routingKeys: readonly string[];
  /** When it first died so, in ms since 1970. */
  readonly time: number;
  /** The expiration it had: taken off a dead letter, which would else expire again. */
  readonly originalExpirationMs?: number;
  /** What the last failure said, in plain words. */
  readonly error?: { readonly name: string; readonly message: string; readonly stack: string };
}

/** Writes one more death into a history; the history itself is left as it is. */
export function withDeath(deaths: readonly Death[], death: Omit<Death, 'count'>): readonly Death[] {
  const known = deaths.find(({ queue, reason }) => queue === death.queue && reason === death.reason);
  const others = deaths.filter((other) => other !== known);
  if (known === undefined) return [{ ...death, count: 1 }, ...others];
  return [{ ...known, ...death, time: known.time, count: known.count + 1 }, ...others];
}

/** A history out of what stands in Redis; undefined when that is none. */
export function parseDeaths(json: string): readonly Death[] | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return Array.isArray(value) && value.every(isDeath) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isDeath(value: Partial<Death> | null): value is Death {
  if (typeof value !== 'object' || value === null) return false;
  const { queue, reason, count, exchange, routingKeys, time } = value;
  const areTexts = [queue, reason, exchange, ...(Array.isArray(routingKeys) ? routingKeys : [undefined])];
  return areTexts.every((text) => typeof text === 'string') && [count, time].every(Number.isFinite);
}
