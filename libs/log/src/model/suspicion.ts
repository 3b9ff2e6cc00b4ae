/** After this many returns a record is suspected of crashing its owners. */
const suspiciousReturns = 2;

/**
 * The number of returns from which a record is a suspect: it is handled alone, so that no other record is blamed for it. At least
 * the last delivery before the limit is handled that way.
 */
export function suspectFrom(deliveryLimit: number): number {
  return Math.min(suspiciousReturns, deliveryLimit);
}

/**
 * Which records an owner may have had in flight when it ended. Redis does not record this; but an owner handles records in the order of the
 * log, limited in number and per key, so records beyond those limits were not among them.
 */
export class Suspicion {
  readonly #end: number;
  readonly #perKey: number;
  #room: number;
  readonly #keys = new Map<string, number>();

  /**
   * @param end the end of the log when the owner had ended
   * @param inFlight how many records it can have in flight, and how many of them with one key
   */
  constructor(end: number, inFlight: { readonly records: number; readonly perKey: number }) {
    this.#end = end;
    this.#room = inFlight.records;
    this.#perKey = inFlight.perKey;
  }

  /** Whether the record may have been in flight. Called once per record, in the order of the log. */
  covers(offset: number, key: string | undefined): boolean {
    if (this.#room === 0 || offset >= this.#end) return false;
    if (key !== undefined) {
      const ofKey = this.#keys.get(key) ?? 0;
      if (ofKey === this.#perKey) return false;
      this.#keys.set(key, ofKey + 1);
    }
    this.#room--;
    return true;
  }
}
