import { setTimeout as sleep } from 'node:timers/promises';

/** Where the services are. */
export interface Town {
  readonly shop: string;
  readonly tracking: string;
  readonly analytics: string;
}

const goods = ['book', 'tea', 'lamp', 'chair', 'kite'];
const users = 50;
const cabs = 40;
const orderEveryMs = 1000;
const rush = { everyMs: 30_000, orders: 60, duringMs: 1000 };
const fixEveryMs = 10_000;
const reportEveryMs = 10_000;

/**
 * Gentle traffic, as customers and cabs make it: an order a second; every 30 s a rush of 60 in one second, which is more
 * than the 15 notifications a second that may be sent; 40 cabs that all report every 10 s; now and then a report.
 */
export class Traffic {
  readonly #town: Town;
  readonly #end = new AbortController();

  constructor(town: Town) {
    this.#town = town;
  }

  start(): void {
    void this.#every(orderEveryMs, 0, () => this.#order());
    void this.#every(rush.everyMs, 5000, () => this.#rush());
    void this.#every(fixEveryMs, 1000, () => this.#reportPositions());
    void this.#every(reportEveryMs, 8000, () => this.#readSales());
  }

  stop(): void {
    this.#end.abort();
  }

  async #every(intervalMs: number, delayMs: number, work: () => Promise<unknown>): Promise<void> {
    const { signal } = this.#end;
    try {
      await sleep(delayMs, undefined, { signal });
      for (;;) {
        void work();
        await sleep(intervalMs, undefined, { signal });
      }
    } catch {
      // Stopped.
    }
  }

  async #rush(): Promise<void> {
    for (let order = 0; order < rush.orders && !this.#end.signal.aborted; order++) {
      void this.#order();
      await sleep(rush.duringMs / rush.orders);
    }
  }

  #order(): Promise<void> {
    const items = [{ sku: pick(goods), quantity: 1 + Math.floor(Math.random() * 3) }];
    const userId = `user-${1 + Math.floor(Math.random() * users)}`;
    return this.#post(`${this.#town.shop}/orders`, { userId, items });
  }

  async #reportPositions(): Promise<void> {
    const reports = Array.from({ length: cabs }, (_, cab) => {
      const position = { latitude: 12.97 + Math.random() / 10, longitude: 77.59 + Math.random() / 10 };
      return this.#post(`${this.#town.tracking}/cabs/cab-${cab + 1}/fixes`, position);
    });
    await Promise.all(reports);
  }

  async #readSales(): Promise<void> {
    const since = new Date(Date.now() - 60_000).toISOString();
    await this.#ask(`${this.#town.analytics}/sales?since=${since}`);
  }

  #post(url: string, body: object): Promise<void> {
    const headers = { 'content-type': 'application/json' };
    return this.#ask(url, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  /** A customer who gets no answer comes back another time. */
  async #ask(url: string, init: RequestInit = {}): Promise<void> {
    try {
      await (await fetch(url, { ...init, signal: this.#end.signal })).arrayBuffer();
    } catch {
      // Redis or the service is away, and says so itself.
    }
  }
}

function pick(list: readonly string[]): string {
  return list[Math.floor(Math.random() * list.length)] ?? '';
}
