/** How busy the shard of a share is. */
export interface ShareContext {
  /** Whether the shard may have messages for the consumer that it has not taken. */
  mayHaveMore(): boolean;
  /** How many messages the turns under way may bring. */
  asked(): number;
}

/** The part of a consumer's buffer that one shard may fill. */
export interface BufferShare {
  /** How many messages may be asked for now. */
  wanted(): number;
  /** It has taken some: the other shards go before it. */
  served(): void;
}

interface ShareEntry {
  readonly context: ShareContext;
  /** Number of the last time that it took some. */
  servedAt: number;
}

/**
 * Shares out what a consumer may hold among the shards of its queue, so that a busy shard does not starve the others: while there
 * is little room, the shard served longest ago goes first. With one shard there is nothing to share.
 */
export class BufferShares {
  readonly #wanted: (reserved: number) => number;
  #entries: ShareEntry[] = [];
  #served = 0;

  /** @param wanted how many more messages the consumer wants, besides `reserved` ones that may be on their way */
  constructor(wanted: (reserved: number) => number) {
    this.#wanted = wanted;
  }

  /** A shard's share. */
  add(context: ShareContext): BufferShare {
    const entry: ShareEntry = { context, servedAt: 0 };
    this.#entries.push(entry);
    return {
      wanted: () => this.#wantedFor(entry),
      served: () => {
        if (this.#entries.length > 1) entry.servedAt = ++this.#served;
      },
    };
  }

  /** Forgets all shards, before others are added. */
  clear(): void {
    this.#entries = [];
  }

  /** Whether there is room that no turn under way may fill. */
  get isLeft(): boolean {
    let reserved = 0;
    for (const { context } of this.#entries) reserved += context.asked();
    return this.#wanted(reserved) > 0;
  }

  #wantedFor(mine: ShareEntry): number {
    if (this.#entries.length === 1) return this.#wanted(0);
    let [reserved, rivals, before] = [0, 0, 0];
    for (const other of this.#entries) {
      if (other === mine) continue;
      const asked = other.context.asked();
      reserved += asked;
      if (!other.context.mayHaveMore() || asked > 0) continue;
      rivals++;
      if (other.servedAt < mine.servedAt) before++;
    }
    const room = this.#wanted(reserved);
    return room <= 0 ? 0 : Math.floor((room + rivals - before) / (rivals + 1));
  }
}
