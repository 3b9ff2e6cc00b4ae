/** What shares a consumer's room with others: the turns of one slot. */
export interface ShareHolder {
  /** Whether there may be messages for it that it has not taken. */
  readonly isEager: boolean;
  /** How many the turn under way may bring. */
  readonly asked: number;
}

/**
 * Shares out what a consumer may hold among the slots of a sharded queue, so that a busy shard does not keep the others out:
 * while there is little room, those go first that were served longest ago. With one slot there is nothing to share.
 */
export class BufferShares {
  readonly #wanted: (reserved: number) => number;
  readonly #servedAt = new Map<ShareHolder, number>();
  #served = 0;

  /** @param wanted how many more the consumer wants, besides `reserved` that are on their way */
  constructor(wanted: (reserved: number) => number) {
    this.#wanted = wanted;
  }

  join(sharer: ShareHolder): void {
    this.#servedAt.set(sharer, 0);
  }

  /** There are others from now on. */
  clear(): void {
    this.#servedAt.clear();
  }

  /** How many messages this one may ask for now. */
  for(sharer: ShareHolder): number {
    if (this.#servedAt.size === 1) return this.#wanted(0);
    const mine = this.#servedAt.get(sharer) ?? 0;
    let [reserved, rivals, before] = [0, 0, 0];
    for (const [other, servedAt] of this.#servedAt) {
      if (other === sharer) continue;
      reserved += other.asked;
      if (!other.isEager || other.asked > 0) continue;
      rivals++;
      if (servedAt < mine) before++;
    }
    const room = this.#wanted(reserved);
    return room <= 0 ? 0 : Math.floor((room + rivals - before) / (rivals + 1));
  }

  /** Whether there is room that no turn under way may fill. */
  get isLeft(): boolean {
    let reserved = 0;
    for (const { asked } of this.#servedAt.keys()) reserved += asked;
    return this.#wanted(reserved) > 0;
  }

  /** It has taken some. */
  served(sharer: ShareHolder): void {
    if (this.#servedAt.size > 1) this.#servedAt.set(sharer, ++this.#served);
  }
}
