/** What is kept of a completed message. */
export interface KeptResult {
  readonly attempt: number;
  readonly deliveryCount: number;
  readonly value?: unknown;
}

/** A result as it stands in Redis; undefined when that is none. */
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

/** What a handler reported as its progress; undefined when there is nothing that can be read. */
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
