import {
  type CheckPayload,
  type CodecRegistry,
  custom,
  integer,
  type OptionReaders,
  optional,
  resolveOptions,
  TopologyNotFoundError,
} from '@millrace/core';
import type { RedisConnection } from '@millrace/redis';
import { CompletedMessage, type CompletedMessagePage } from './completed-message.js';
import { ids } from './dead-letters/dead-letter-options.js';
import { DeadLetterQueue } from './dead-letters/dead-letter-queue.js';
import type { DeadLetterSearch } from './dead-letters/dead-letter-search.js';
import type { MessagePage, PageOptions } from './message-page.js';
import { assertMessageId, MessageSearch } from './message-search.js';
import { MessageSender, type QueuePayloads, type SenderContext } from './message-sender.js';
import type { MessageState } from './message-state.js';
import type { PageRange } from './model/page-cursor.js';
import { objectName } from './model/queue-settings.js';
import type { Forwarder } from './publishing/forwarder.js';
import type { PageReader, QueueSlots } from './queue-slots.js';
import { readMessages } from './queued-message.js';
import { type Listed, listByTime, listReady, unpark } from './store/browse.js';
import { listCompleted, purgeCompleted } from './store/completed-messages.js';
import { findMessage } from './store/job.js';
import { countMessages, type QueueCounts, sumCounts } from './store/queue-counts.js';
import { queueSettings } from './store/queue-slot.js';
import { isQueuePaused, switchQueue } from './store/queue-switch.js';

/** What a handle checks, and where its dead letters are. */
export interface QueueHandleOptions extends QueuePayloads {
  /**
   * The queue whose messages are the dead letters that `deadLetters` manages. Default: this queue itself, so that `deadLetters.purge()`
   * deletes what waits in it.
   */
  readonly deadLetterQueue?: string | undefined;
}

/** The options of a handle, read whole: a misspelt `deadLetterQueue` would purge the queue itself. @throws {OptionsError} */
export function checkedHandle(queue: string, options: QueueHandleOptions): QueueHandleOptions {
  return resolveOptions<QueueHandleOptions>(`handle of queue "${queue}"`, handleReaders, options);
}

/** What a handle needs of its broker. */
export interface HandleContext extends SenderContext {
  readonly connection: RedisConnection;
  readonly forwarder: Forwarder;
  readonly codecs: CodecRegistry;
  readonly slots: QueueSlots;
  readonly deadLetters: DeadLetterSearch;
}

/**
 * One queue: sends to it, and reads and changes it and its messages. Created by `broker.queue(name)`, and injected in Nest with
 * `@InjectQueue(queue)`. `T` is the type of its payloads, `R` that of the replies to its requests. Every method that reads or changes
 * waits for a Redis that is away, or not reached yet, up to the Broker's `deliveryTimeoutMs`, and then rejects with an
 * `UnavailableError`, as when the connection is lost during the call. It rejects with a `WriteError` where Redis refuses (no right, no
 * memory).
 */
export class QueueHandle<T = unknown, R = unknown> extends MessageSender<T, R> {
  readonly #connection: RedisConnection;
  readonly #codecs: CodecRegistry;
  readonly #slots: QueueSlots;
  readonly #search: MessageSearch<T, R>;
  /**
   * Dead letters: list, edit, redrive, purge. Of a handle that Nest injects, those of the queue, in its dead-letter queue; if it is the
   * handle of a queue of dead letters, that queue's own messages. Of `broker.queue(name)` without `deadLetterQueue`, the messages that wait
   * in the queue `name` itself: those of `broker.queue('emails.dead-letters')` are dead letters, but with `broker.queue('emails')`,
   * `deadLetters.purge()` deletes messages that are still to be handled.
   */
  readonly deadLetters: DeadLetterQueue<T>;

  constructor(name: string, context: HandleContext, payloads?: QueuePayloads, letters?: DeadLetterQueue<T>) {
    super(name, context, payloads);
    const { connection, forwarder, codecs, slots, deadLetters } = context;
    this.#connection = connection;
    this.#codecs = codecs;
    this.#slots = slots;
    this.#search = new MessageSearch(name, connection, codecs, slots, deadLetters);
    this.deadLetters = letters ?? new DeadLetterQueue(this, connection, forwarder, codecs, slots, deadLetters);
  }

  /**
   * A message and its state; undefined when the queue holds none with that id, and keeps neither a completed one nor a result of it. One
   * that this queue gave up is found as long as it is in a queue that this queue's dead letters may go to, or that theirs may go to. If
   * there are a completed one and a dead letter with that id, the later one is returned.
   */
  message(id: string): Promise<MessageState<T, R> | undefined> {
    return this.#search.find(id);
  }

  /**
   * Cancels a message. One that waits is removed when this resolves (`cancelled`). One that is being handled, in any
   * process, has its signal aborted within about a second and is removed then (`cancelling`).
   */
  async cancel(id: string): Promise<'cancelled' | 'cancelling' | 'not-found'> {
    assertMessageId(this.name, id);
    const { commands } = this.#connection;
    const found = await this.#slots.find((place) => findMessage(commands, place, id, 'cancel'));
    if (found === undefined || found.state === 'dying') return 'not-found';
    return found.state === 'running' ? 'cancelling' : 'cancelled';
  }

  /** Messages that are delayed or wait for a retry, the earliest first. */
  async delayed(options: PageOptions = {}): Promise<MessagePage<T>> {
    return this.#page(pageOf(this.name, options), ({ keys }, piece) =>
      listByTime(this.#connection.commands, keys, 'delayed', piece),
    );
  }

  /** Messages that were set aside: no handler matches them, or they can become no dead letter (event `parked`). */
  async parked(options: PageOptions = {}): Promise<MessagePage<T>> {
    return this.#page(pageOf(this.name, options), ({ keys }, piece) =>
      listByTime(this.#connection.commands, keys, 'parked', piece),
    );
  }

  /** Completed messages that are kept (`keepCompleted`), the newest first; of a sharded queue one shard after the other. */
  async completed(options: PageOptions = {}): Promise<CompletedMessagePage<T, R>> {
    const page = pageOf(this.name, options);
    const { messages, cursor: next } = await this.#slots.page(page, ({ keys }, piece) =>
      listCompleted(this.#connection.commands, keys, piece),
    );
    return {
      messages: messages.map((found) => new CompletedMessage<T, R>(this.name, found, this.#codecs)),
      cursor: next,
    };
  }

  /** Removes all completed messages that are kept. Resolves to their number. Later ones are kept as before. */
  async purgeCompleted(): Promise<number> {
    return sum(await this.#slots.each(({ keys }) => purgeCompleted(this.#connection.commands, keys)));
  }

  /** Messages that wait for a consumer, or are offered to one that has not claimed them yet, in the order of delivery. */
  async ready(options: PageOptions = {}): Promise<MessagePage<T>> {
    const page = pageOf(this.name, options);
    const priorities = await this.priorities();
    return this.#page(page, ({ keys }, piece) => listReady(this.#connection.commands, keys, priorities, piece));
  }

  /** Makes parked messages ready again: these, or up to a thousand. Resolves to their number. */
  async unpark(ids?: readonly string[]): Promise<number> {
    const some =
      resolveOptions<{ ids?: typeof ids }>(`unpark of queue "${this.name}"`, unparkReaders, { ids }).ids ??
      (await this.#someParked());
    const priorities = await this.priorities();
    return sum(await this.#slots.each(({ keys }) => unpark(this.#connection.commands, keys, priorities, some)));
  }

  /** Removes a message that is ready or parked. Resolves to false when it is not waiting there. */
  async remove(id: string): Promise<boolean> {
    assertMessageId(this.name, id);
    const found = await this.#slots.find((place) => findMessage(this.#connection.commands, place, id, 'remove'));
    return found?.state === 'ready' || found?.state === 'parked';
  }

  /** Stops deliveries to all consumers in all processes until `resume()`, also over restarts. @throws {TopologyNotFoundError} */
  async pause(): Promise<void> {
    await this.#switch(true);
  }

  /** Starts deliveries again. @throws {TopologyNotFoundError} */
  async resume(): Promise<void> {
    await this.#switch(false);
  }

  /** Whether the queue is paused. @throws {TopologyNotFoundError} */
  async isPaused(): Promise<boolean> {
    const paused = await this.#slots.each(({ keys }) => isQueuePaused(this.#connection.commands, keys));
    return paused.every((isPaused) => isPaused);
  }

  /** The number of messages in each state, and of consumers. @throws {TopologyNotFoundError} */
  async counts(): Promise<QueueCounts> {
    const priorities = await this.priorities();
    const counts = await this.#slots.each((place) =>
      countMessages(this.#connection.commands, { ...place, priorities }),
    );
    return sumCounts(counts);
  }

  /**
   * The number of its priority levels; 1 if the queue does not exist yet because its first dead letter creates it.
   *
   * @throws {TopologyNotFoundError} the queue does not exist, and no queue's dead letters go there
   */
  async priorities(): Promise<number> {
    const settings = await this.#slots.first(({ keys, queue }) =>
      queueSettings(this.#connection.commands, keys, queue),
    );
    if (settings === undefined && (await this.#slots.awaitsDeadLetters())) return 1;
    if (settings === undefined) throw new TopologyNotFoundError('queue', this.name);
    return settings.priorities;
  }

  async #switch(isPaused: boolean): Promise<void> {
    const areThere = await this.#slots.each(({ keys }) => switchQueue(this.#connection.commands, keys, { isPaused }));
    if (areThere.includes(false)) throw new TopologyNotFoundError('queue', this.name);
  }

  /** Ids of up to a thousand: a page ends with its shard. */
  async #someParked(): Promise<string[]> {
    const ids: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.parked({ limit: 1000 - ids.length, cursor });
      ids.push(...[...page.messages, ...page.unreadable].map(({ id }) => id));
      cursor = page.cursor;
    } while (cursor !== undefined && ids.length < 1000);
    return ids;
  }

  async #page(page: PageRange, list: PageReader<Listed>): Promise<MessagePage<T>> {
    const { messages, cursor } = await this.#slots.page(page, list);
    const read = readMessages<Listed, T>(this.name, messages, this.#codecs);
    const withTime = read.messages.map(({ message, stored: { at } }) => Object.assign(message, { at }));
    return { messages: withTime, unreadable: read.unreadable, cursor };
  }
}

const check = optional(
  custom(
    () => true,
    'a function',
    (value): value is CheckPayload => typeof value === 'function',
  ),
);
const handleReaders: OptionReaders<QueueHandleOptions> = {
  deadLetterQueue: optional(objectName('queue')),
  validate: check,
  validateReply: check,
};
const unparkReaders = { ids: optional(ids) };

/** @throws {OptionsError} with every problem */
function pageOf(queue: string, options: PageOptions): PageRange {
  const resolved = resolveOptions(`page of queue "${queue}"`, { limit: integer(100, { min: 1 }), cursor }, options);
  return { queue, limit: resolved.limit, cursor: resolved.cursor };
}

const cursor = optional(custom('', 'the cursor of a page', (value) => typeof value === 'string'));

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
