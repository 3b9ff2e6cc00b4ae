/** After so many returns a record may be what takes its owners down. */
const suspiciousReturns = 2;

/**
 * From how many returns on a record is a suspect: it is handled alone, so that no neighbour is blamed for it. Also from the return
 * after which the next one is its last.
 */
export function suspectFrom(deliveryLimit: number): number {
  return Math.min(suspiciousReturns, deliveryLimit);
}

/**
 * Which records an owner may have had in hand when it ended. Nothing in Redis says which: but it handles them in the order of the
 * log, a limited number at a time and per key, so that those beyond were not among them.
 */
export class Suspicion {
  readonly #end: number;
  readonly #perKey: number;
  #room: number;
  readonly #keys = new Map<string, number>();

  /**
   * @param end the end of the log when the owner had ended
   * @param inHand how many records it can have in hand, and how many of them in one key
   */
  constructor(end: number, inHand: { readonly records: number; readonly perKey: number }) {
    this.#end = end;
    this.#room = inHand.records;
    this.#perKey = inHand.perKey;
  }

  /** Whether the record may have been in hand. Asked once per record, in the order of the log. */
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
