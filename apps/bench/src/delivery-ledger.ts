/** What became of the messages of a measurement: every one was handled, `duplicates` deliveries came beside that. */
export interface Delivery {
  readonly sent: number;
  readonly duplicates: number;
}

/** Without a delivery for so long, what is missing is lost. Longer than any subject of these scenarios pauses. */
const stallMs = 30_000;
/** Ids that an error names. */
const named = 10;
/** What a byte holds. */
const mostTimes = 255;
/** A larger number was made by a fault: no scenario sends so many. */
const mostId = 2 ** 28;

/**
 * Every delivery of a measurement by the message's id: a byte per message. Ids are 0, 1, 2, …, each sent once. It costs a handler some 5 ns, and
 * tells a lost message from one that another's duplicate stands in for, which a count does not.
 */
export class DeliveryLedger {
  #times = new Uint8Array(1024);
  #handled = 0;
  #deliveries = 0;
  /** Deliveries whose id is none. */
  #strange = 0;
  #awaited = Number.POSITIVE_INFINITY;
  #resolve: () => void = () => {};

  /** Messages that were handled, each counted once. */
  get handled(): number {
    return this.#handled;
  }

  /** Notes a delivery. Returns whether it is the message's first. */
  readonly note = (id: number): boolean => {
    this.#deliveries++;
    const times = this.#times[id] ?? this.#grow(id);
    if (times === undefined) return false;
    if (times < mostTimes) this.#times[id] = times + 1;
    if (times > 0) return false;
    if (++this.#handled >= this.#awaited) this.#resolve();
    return true;
  };

  /**
   * Resolves when so many messages have been handled.
   *
   * @throws {Error} when nothing has been delivered for `stalledAfterMs` (default 30 s): it names what is missing
   */
  async until(
    count: number,
    { stalledAfterMs = stallMs }: { stalledAfterMs?: number | undefined } = {},
  ): Promise<void> {
    if (this.#handled >= count) return;
    let watch: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      let before = this.#deliveries;
      watch = setInterval(() => {
        if (this.#deliveries === before) reject(this.#loss(count, `for ${stalledAfterMs} ms`));
        before = this.#deliveries;
      }, stalledAfterMs);
      this.#resolve = resolve;
      this.#awaited = count;
    }).finally(() => {
      clearInterval(watch);
      this.#awaited = Number.POSITIVE_INFINITY;
    });
  }

  /** Adds what another process noted. */
  add({ times }: LedgerPages): void {
    for (const [id, more] of times.entries()) for (let n = 0; n < more; n++) this.note(id);
  }

  /** All of it, to hand to another process. */
  pages(): LedgerPages {
    return { times: this.#times };
  }

  /** @throws {Error} when one of the `sent` messages was not handled, or one that was not sent was: it says which */
  account(sent: number): Delivery {
    if (this.#missing(sent).length > 0) throw this.#loss(sent, 'at the end');
    const unsent = this.#times.subarray(sent).reduce((sum, times) => sum + times, this.#strange);
    if (unsent > 0) throw new Error(`${unsent} deliveries of messages that were not sent, beside ${sent} that were`);
    return { sent, duplicates: this.#deliveries - sent };
  }

  #loss(sent: number, when: string): Error {
    const missing = this.#missing(sent);
    const ids = missing.slice(0, named).join(', ');
    const more = missing.length > named ? ', …' : '';
    return new Error(`lost ${missing.length} of ${sent} messages: not handled ${when}: ids ${ids}${more}`);
  }

  #missing(sent: number): number[] {
    const missing: number[] = [];
    for (let id = 0; id < sent; id++) if ((this.#times[id] ?? 0) === 0) missing.push(id);
    return missing;
  }

  /** Makes room for an id. Returns how often it was delivered: not at all, or undefined when it is no id. */
  #grow(id: number): 0 | undefined {
    if (!Number.isInteger(id) || id < 0 || id > mostId) {
      this.#strange++;
      return undefined;
    }
    let length = this.#times.length;
    while (length <= id) length *= 2;
    const larger = new Uint8Array(length);
    larger.set(this.#times);
    this.#times = larger;
    return 0;
  }
}

/** A ledger on its way from one process to another. */
export interface LedgerPages {
  /** How often each id was delivered, at most 255. */
  readonly times: Uint8Array;
}

/** What several measurements of one process come to. */
export function sumOf(deliveries: readonly Delivery[]): Delivery {
  return {
    sent: deliveries.reduce((sum, { sent }) => sum + sent, 0),
    duplicates: deliveries.reduce((sum, { duplicates }) => sum + duplicates, 0),
  };
}
