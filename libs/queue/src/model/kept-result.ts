/** What is kept of a completed message. */
export interface KeptResult {
  readonly attempt: number;
  readonly deliveryCount: number;
  readonly value?: unknown;
}

/** Parses a result stored in Redis; undefined when it is invalid. */
export function parseKeptResult(json: string): KeptResult | undefined {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value !== 'object' || value === null) return undefined;
    const kept: Partial<KeptResult> = value;
    return { attempt: countOf(kept.attempt), deliveryCount: countOf(kept.deliveryCount), value: kept.value };
  } catch {
    return undefined;
  }
}

/** The progress that a handler reported; undefined when there is none, or it cannot be read. */
export function readProgress(json: string | undefined): unknown {
  try {
    return json === undefined ? undefined : JSON.parse(json);
  } catch {
    return undefined;
  }
}

function countOf(value: unknown): number {
  return Number.isSafeInteger(value) ? Number(value) : 0;
}
