/** What stands for a reader's database: it knows the few statements of one recipe each. */
class PageDatabase {
  transaction<T>(work: (transaction: this) => Promise<T>): Promise<T> {
    return work(this);
  }
}

/** The table of an outbox. */
export class ShopDatabase extends PageDatabase {
  rows: { id: unknown; routing_key: unknown; body: unknown }[] = [];

  async query(sql: string, values: readonly unknown[] = []): Promise<unknown[]> {
    if (sql.startsWith('select')) return this.rows.slice(0, 100);
    const [id, routing_key, body] = values;
    if (sql.startsWith('insert')) this.rows.push({ id, routing_key, body });
    else this.rows = this.rows.filter((row) => !(values[0] as unknown[]).includes(row.id));
    return [];
  }
}

/** Accounts, and what was handled. */
export class LedgerDatabase extends PageDatabase {
  /** How often something was handled, repetitions included. */
  seen = 0;
  /** The balance of the only account. */
  cents = 0;
  readonly #handled = new Set<unknown>();

  async query(sql: string, [value]: readonly unknown[]): Promise<unknown[]> {
    if (sql.startsWith('update')) {
      this.cents -= Number(value);
      return [];
    }
    this.seen++;
    const isNew = !this.#handled.has(value);
    this.#handled.add(value);
    return isNew ? [{ id: value }] : [];
  }
}

/** The photos that were resized, of one album. */
export class ResizedDatabase extends PageDatabase {
  readonly #photos = new Set<unknown>();

  async query(sql: string, [, photo]: readonly unknown[]): Promise<unknown[]> {
    if (sql.startsWith('insert')) this.#photos.add(photo);
    return [{ count: this.#photos.size }];
  }
}
