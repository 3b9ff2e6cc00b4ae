import type { DeadLetterReason } from '@millrace/core';

/**
 * One line of a message's history of deaths, RabbitMQ's `x-death`: the newest first, one line per queue and reason, with
 * a count.
 */
export interface Death {
  /** The queue in which it died. */
  readonly queue: string;
  /** The reason of its death. */
  readonly reason: DeadLetterReason;
  /** How many times it died in this queue for this reason. */
  readonly count: number;
  /** The exchange and keys by which the message came into that queue. */
  readonly exchange: string;
  /** See `exchange`. */
  readonly routingKeys: readonly string[];
  /** When it first died in this queue for this reason, in ms since 1970. */
  readonly time: number;
  /** Its expiration, which is removed from a dead letter, or it would expire again. */
  readonly originalExpirationMs?: number;
  /** The error of the last failure. */
  readonly error?: { readonly name: string; readonly message: string; readonly stack: string };
}

/** Adds a death to a history; the given history is not changed. */
export function withDeath(deaths: readonly Death[], death: Omit<Death, 'count'>): readonly Death[] {
  const known = deaths.find(({ queue, reason }) => queue === death.queue && reason === death.reason);
  const others = deaths.filter((other) => other !== known);
  if (known === undefined) return [{ ...death, count: 1 }, ...others];
  return [{ ...known, ...death, time: known.time, count: known.count + 1 }, ...others];
}

/** Parses a history stored in Redis; undefined when it is invalid. */
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
