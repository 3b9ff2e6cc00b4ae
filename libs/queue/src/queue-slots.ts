import { type RedisConnection, reach } from '@millrace/redis';
import { cursorParts, type PageRange } from './model/page-cursor.js';
import { type QueueKeys, queueKeys } from './store/keys.js';

/** One slot of a queue, in the form that the store's functions take. */
export interface QueuePlace {
  readonly prefix: string;
  readonly queue: string;
  readonly keys: QueueKeys;
}

export type PageReader<T> = (place: QueuePlace, range: PageRange) => Promise<SlotPage<T>>;

/** How many messages of a page are read in one call. */
const mostTogether = 1000;

/** One page of a slot's items, and where the next one begins. */
interface SlotPage<T> {
  readonly messages: readonly T[];
  /** Undefined after the last page. */
  readonly cursor: string | undefined;
}

/** What is declared of a queue. */
export interface DeclaredQueue {
  /** The names of its slots. */
  slots(): Promise<readonly string[]>;
  /** Whether it does not exist yet because the first dead letter of another queue creates it. */
  awaitsDeadLetters(): Promise<boolean>;
}

/** The slots of one queue, to be queried one after the other or all together. */
export class QueueSlots {
  readonly #connection: RedisConnection;
  readonly #queue: string;
  readonly #declared: DeclaredQueue;
  readonly #timeoutMs: number;

  /** @param timeoutMs how long a query waits for a Redis that is away */
  constructor(connection: RedisConnection, queue: string, declared: DeclaredQueue, timeoutMs: number) {
    this.#connection = connection;
    this.#queue = queue;
    this.#declared = declared;
    this.#timeoutMs = timeoutMs;
  }

  /** Whether the queue does not exist yet because the first dead letter of another queue creates it. @throws {UnavailableError} */
  awaitsDeadLetters(): Promise<boolean> {
    return this.#reached(() => this.#declared.awaitsDeadLetters());
  }

  /** The result for the first slot. @throws {UnavailableError} */
  first<T>(ask: (place: QueuePlace) => Promise<T>): Promise<T> {
    return this.#reached(async () => {
      const [first] = await this.#all();
      if (first === undefined) throw new Error('a queue has at least one slot');
      return ask(first);
    });
  }

  /** The results for all slots. @throws {UnavailableError} */
  each<T>(ask: (place: QueuePlace) => Promise<T>): Promise<T[]> {
    return this.#reached(async () => Promise.all((await this.#all()).map(ask)));
  }

  /** The first result that is not undefined. */
  async find<T>(ask: (place: QueuePlace) => Promise<T | undefined>): Promise<T | undefined> {
    return (await this.each(ask)).find((answer) => answer !== undefined);
  }

  /**
   * A page of one slot after the other, a large one in pieces, so that each command is short. The cursor of a queue with several slots names
   * the next slot.
   *
   * @throws {UnavailableError} @throws {OptionsError} the cursor is not one of such a list
   */
  async page<T>({ queue, limit, cursor }: PageRange, list: PageReader<T>): Promise<SlotPage<T>> {
    const messages: T[] = [];
    let [next, isMore] = [cursor, true];
    while (isMore) {
      const wanted = Math.min(mostTogether, limit - messages.length);
      const range = { queue, limit: wanted, cursor: next };
      const piece = await this.#reached(() => this.#page(range, list));
      for (const message of piece.messages) messages.push(message);
      next = piece.cursor;
      isMore = next !== undefined && piece.messages.length === mostTogether && messages.length < limit;
    }
    return { messages, cursor: next };
  }

  async #all(): Promise<QueuePlace[]> {
    const { prefix } = this.#connection;
    return (await this.#declared.slots()).map((queue) => ({ prefix, queue, keys: queueKeys(prefix, queue) }));
  }

  /** What `ask` resolves to, once Redis is there. @throws {UnavailableError} */
  #reached<T>(ask: () => Promise<T>): Promise<T> {
    return reach(this.#connection, { what: `reach queue "${this.#queue}"`, timeoutMs: this.#timeoutMs }, ask);
  }

  async #page<T>(range: PageRange, list: PageReader<T>): Promise<SlotPage<T>> {
    const places = await this.#all();
    const [only, second] = places;
    if (only !== undefined && second === undefined) return list(only, range);
    const [number = '0', rest = ''] = cursorParts(range, 'sharded') ?? [];
    let cursor = rest === '' ? undefined : rest;
    for (let index = Number(number); index < places.length; index++) {
      const place = places[index];
      if (place === undefined) break;
      const page = await list(place, { ...range, cursor });
      cursor = undefined;
      const isLast = index === places.length - 1 && page.cursor === undefined;
      const next = page.cursor === undefined ? `${index + 1}|` : `${index}|${page.cursor}`;
      if (page.messages.length > 0) return { messages: page.messages, cursor: isLast ? undefined : next };
    }
    return { messages: [], cursor: undefined };
  }
}
