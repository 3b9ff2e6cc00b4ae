/** How many times a message was delivered before, and how those deliveries ended. Stored only after more than one delivery. */
export interface Deliveries {
  /** Failed attempts, which retry policies count. */
  readonly failures: number;
  /** Deliveries that ended without an outcome (its consumer died, or gave it back), which the delivery limit counts. */
  readonly returns: number;
  /** Handlers that asked for a later retry, which no limit counts. */
  readonly postponements: number;
  /** How many of the returns happened because its consumer died or lost its lease; 2 means 2 or more. */
  readonly losses: number;
}

export const noDeliveries: Deliveries = Object.freeze({ failures: 0, returns: 0, postponements: 0, losses: 0 });

// One number packs all four, so that one HINCRBY counts any of them and one HMGET reads them: 2^53 leaves 16 bits for
// returns and failures, half a million postponements, and two bits for losses.
const failure = 2 ** 16;
const postponement = 2 ** 32;
const loss = 2 ** 51;
const failuresUpTo = postponement / failure - 1;
const postponementsUpTo = loss / postponement - 1;

/** What one more delivery of a kind adds to the number in `counts`. */
export const deliveryIncrement = { returned: 1, failed: failure, postponed: postponement } as const;

/**
 * What one more failure or postponement adds. A count that is full stays: it would run over into the next one, and a message that was
 * postponed half a million times would count as one that kills its consumers.
 */
export function incrementOf(kind: 'failed' | 'postponed', { failures, postponements }: Deliveries): number {
  const isFull = kind === 'failed' ? failures >= failuresUpTo : postponements >= postponementsUpTo;
  return isFull ? 0 : deliveryIncrement[kind];
}

/** Reads the number in `counts`. */
export function readDeliveries(packed: number): Deliveries {
  if (packed === 0) return noDeliveries;
  return {
    returns: packed % failure,
    failures: Math.floor(packed / failure) % failure,
    postponements: Math.floor(packed / postponement) % (loss / postponement),
    losses: Math.min(2, Math.floor(packed / loss)),
  };
}

/** Deliveries before this one, however they ended. */
export function countDeliveries({ failures, returns, postponements }: Deliveries): number {
  return failures + returns + postponements;
}

/**
 * Whether a message may crash its consumers: two were lost with it, or its next return reaches the limit. Then it is
 * handled alone, so that no other message is blamed for it.
 */
export function isSuspect({ losses, returns }: Deliveries, deliveryLimit: number): boolean {
  return losses >= 2 || returns >= deliveryLimit;
}
