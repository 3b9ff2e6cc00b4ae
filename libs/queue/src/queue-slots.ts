import type { RedisConnection } from '@millrace/redis';
import type { ListedPage } from './store/browse.js';
import { type QueueKeys, queueKeys } from './store/keys.js';

/** One slot of a queue, as the functions of the store want it named. */
export interface QueuePlace {
  readonly prefix: string;
  readonly queue: string;
  readonly keys: QueueKeys;
}

/** The slots of one queue, to be asked one after the other or all together. */
export class QueueSlots {
  readonly #connection: RedisConnection;
  readonly #names: () => Promise<readonly string[]>;
  /** Whether the queue, which does not exist, is made with the first dead letter of another. */
  readonly awaitsDeadLetters: () => Promise<boolean>;

  constructor(
    connection: RedisConnection,
    names: () => Promise<readonly string[]>,
    awaitsDeadLetters: () => Promise<boolean>,
  ) {
    this.#connection = connection;
    this.#names = names;
    this.awaitsDeadLetters = awaitsDeadLetters;
  }

  async all(): Promise<QueuePlace[]> {
    const { prefix } = this.#connection;
    return (await this.#names()).map((queue) => ({ prefix, queue, keys: queueKeys(prefix, queue) }));
  }

  async first(): Promise<QueuePlace> {
    const [first] = await this.all();
    if (first === undefined) throw new Error('a queue has at least one slot');
    return first;
  }

  /** What each slot answers. */
  async each<T>(ask: (place: QueuePlace) => Promise<T>): Promise<T[]> {
    return Promise.all((await this.all()).map(ask));
  }

  /** The first answer that is one. */
  async find<T>(ask: (place: QueuePlace) => Promise<T | undefined>): Promise<T | undefined> {
    return (await this.each(ask)).find((answer) => answer !== undefined);
  }

  /** A page of one slot after the other. The cursor of a queue with several says which of them is next. */
  async page(
    cursor: string | undefined,
    list: (place: QueuePlace, cursor: string | undefined) => Promise<ListedPage>,
  ): Promise<ListedPage> {
    const places = await this.all();
    const [only, second] = places;
    if (only !== undefined && second === undefined) return list(only, cursor);
    const [number = '0', ...rest] = cursor?.split('|') ?? [];
    let inside = rest.join('|') || undefined;
    for (let index = Number(number); index < places.length; index++) {
      const place = places[index];
      if (place === undefined) break;
      const page = await list(place, inside);
      inside = undefined;
      const isLast = index === places.length - 1 && page.cursor === undefined;
      const next = page.cursor === undefined ? `${index + 1}|` : `${index}|${page.cursor}`;
      if (page.messages.length > 0) return { messages: page.messages, cursor: isLast ? undefined : next };
    }
    return { messages: [], cursor: undefined };
  }
}
