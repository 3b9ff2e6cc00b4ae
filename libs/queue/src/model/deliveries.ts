/** How often a message was delivered before, and how those deliveries ended. Kept only of what was delivered more than once. */
export interface Deliveries {
  /** Failed attempts: what retry policies count. */
  readonly failures: number;
  /** Deliveries that ended without a verdict (its consumer died, or gave it back): what the delivery limit counts. */
  readonly returns: number;
  /** Handlers that asked for a later try: counted by nothing. */
  readonly postponements: number;
  /** How many of the returns came because its consumer died or lost its lease; 2 also stands for more. */
  readonly losses: number;
}

export const noDeliveries: Deliveries = Object.freeze({ failures: 0, returns: 0, postponements: 0, losses: 0 });

// One number holds all four, so that one HINCRBY counts any of them and one HMGET reads them: 2^53 leaves 16 bits for
// returns and failures, half a million postponements, and two bits for losses.
const failure = 2 ** 16;
const postponement = 2 ** 32;
const loss = 2 ** 51;

/** What one more delivery of a kind adds to the number in `counts`. */
export const deliveryIncrement = { returned: 1, failed: failure, postponed: postponement } as const;

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
 * Whether a message may be what takes its consumers down: two were lost with it, or its next return is its death. Then it is
 * handled alone, so that none is blamed for another.
 */
export function isSuspect({ losses, returns }: Deliveries, deliveryLimit: number): boolean {
  return losses >= 2 || returns >= deliveryLimit;
}
