import { accepted, type CodecRegistry, InvalidMessageError, isBoolean, messageOf, rateOf } from '@millrace/core';
import { keepPace, RateLimit } from '@millrace/delivery';
import type { RedisConnection } from '@millrace/redis';
import type { MessagePage, PageOptions } from '../message-page.js';
import type { MessageState } from '../message-state.js';
import { entryAfter } from '../model/entry.js';
import { encodeFrame } from '../model/message-frame.js';
import type { Forwarder } from '../publishing/forwarder.js';
import type { QueueSlots } from '../queue-slots.js';
import { type QueuedMessage, readMessages, type UnreadableMessage } from '../queued-message.js';
import { findMessage } from '../store/job.js';
import { purgeWaiting, removeMessages } from '../store/purge.js';
import { messagesNamed } from '../store/search.js';
import {
  checkedChange,
  checkedChoice,
  checkedRedrive,
  type DeadLetterChange,
  type DeadLetterChoice,
  type RedriveOptions,
  type ResolvedRedrive,
} from './dead-letter-options.js';
import type { DeadLetterSearch } from './dead-letter-search.js';
import { deathsInOrigin, noTaker, problemOf, targetProblem, wayBack } from './redrive-origin.js';

/** What a redrive did, or would do. */
export interface RedriveReport {
  /** Ids that were sent back (or would be). */
  readonly redriven: readonly string[];
  /** Left because they died too many times. */
  readonly looping: readonly string[];
  /** Left because no queue would take them (they have no history, the queue does not exist, or it is full), or because they cannot be read. */
  readonly stuck: readonly { readonly id: string; readonly why: string }[];
}

/** The queue whose messages are its dead letters. */
export interface DeadLetterQueueContext {
  readonly name: string;
  ready(options?: PageOptions): Promise<MessagePage>;
  message(id: string): Promise<MessageState | undefined>;
  priorities(): Promise<number>;
}

/** Dead letters of one piece. */
interface Piece {
  readonly messages: readonly QueuedMessage[];
  readonly unreadable: readonly UnreadableMessage[];
}

const pageSize = 1000;
/** How many are sent back or removed in one call. */
const pieceSize = 250;
const isWanted = { name: 'the filter', expects: 'true or false', accepts: isBoolean };

/** A queue of dead letters: list, edit, send back, or delete them. */
export class DeadLetterQueue {
  readonly #queue: DeadLetterQueueContext;
  readonly #connection: RedisConnection;
  readonly #forwarder: Forwarder;
  readonly #codecs: CodecRegistry;
  readonly #slots: QueueSlots;
  readonly #search: DeadLetterSearch;

  constructor(
    queue: DeadLetterQueueContext,
    connection: RedisConnection,
    forwarder: Forwarder,
    codecs: CodecRegistry,
    slots: QueueSlots,
    search: DeadLetterSearch,
  ) {
    this.#slots = slots;
    this.#codecs = codecs;
    this.#search = search;
    this.#queue = queue;
    this.#connection = connection;
    this.#forwarder = forwarder;
  }

  /** The oldest first. */
  list(options?: PageOptions): Promise<MessagePage> {
    return this.#queue.ready(options);
  }

  /** The dead letter with this id; undefined when it is not in this queue. */
  async get(id: string): Promise<QueuedMessage | undefined> {
    const found = await this.#queue.message(id);
    return found?.queue === this.#queue.name ? found.message : undefined;
  }

  /** Changes a waiting letter; its history stays. False when it is not waiting here. @throws {InvalidMessageError} */
  async edit(id: string, change: DeadLetterChange): Promise<boolean> {
    const { payload, ...others } = checkedChange(id, change);
    const message = await this.get(id);
    if (message === undefined) return false;
    const body = payload === undefined ? message.body : JSON.stringify(payload);
    if (body === undefined) throw new InvalidMessageError(`message ${id}: JSON has no ${typeof payload}.`);
    const codecId = payload === undefined ? message.stored().codecId : 1;
    const frame = encodeFrame({ ...message.stored(), ...others, codecId, body }, this.#queue.name);
    const { commands } = this.#connection;
    const found = await this.#slots.find((place) => findMessage(commands, place, id, { replaceBy: frame }));
    return found?.state === 'ready' || found?.state === 'parked';
  }

  /**
   * Sends dead letters back, only to queues that the operator allows: those that declare this one for their dead letters, the one that it
   * is named after (`<queue>.dead-letters`), `to`, and `allowQueues`. Each is published before it is removed, so none is lost; the target recognises one that is sent twice
   * because of a crash in between.
   */
  async redrive(options: RedriveOptions = {}): Promise<RedriveReport> {
    const resolved = checkedRedrive(options);
    const { maxRedrives, limit = Number.POSITIVE_INFINITY, dryRun, signal } = resolved;
    const report = { redriven: [] as string[], looping: [] as string[], stuck: [] as { id: string; why: string }[] };
    const given = rateOf(resolved);
    const rate = given && !dryRun ? new RateLimit(given, performance.now(), 1) : undefined;
    const allowed = new Set([...(await this.#search.sourcesOf(this.#queue.name)), ...(resolved.allowQueues ?? [])]);
    const isOver = () => report.redriven.length >= limit || signal?.aborted === true;
    for await (const { messages, unreadable } of this.#chosen(resolved, rate === undefined ? pieceSize : 1)) {
      const isLooping = (message: QueuedMessage) => deathsInOrigin(message) > maxRedrives;
      const waiting = messages.filter((message) => !isLooping(message));
      report.looping.push(...messages.filter(isLooping).map(({ id }) => id));
      report.stuck.push(...unreadable.map(({ id, error }) => ({ id, why: error.message })));
      while (waiting.length > 0 && !isOver()) {
        if (rate !== undefined && !(await keepPace(rate, signal))) return report;
        const next = waiting.splice(0, limit - report.redriven.length);
        for (const [id, why] of await this.#redrivePiece(next, resolved, allowed)) {
          if (why === undefined) report.redriven.push(id);
          else report.stuck.push({ id, why });
        }
      }
      if (isOver()) break;
    }
    return report;
  }

  /** Deletes dead letters: these, those that a filter selects, or all. A filter selects none that cannot be read. Resolves to the number deleted. */
  async purge(choice: DeadLetterChoice = {}): Promise<number> {
    const checked = checkedChoice(choice);
    if (checked.ids === undefined && checked.filter === undefined) return this.#purgeAll();
    let count = 0;
    for await (const { messages, unreadable } of this.#chosen(checked, pieceSize))
      count += (await this.#remove(checked.filter === undefined ? [...messages, ...unreadable] : messages)).length;
    return count;
  }

  async #purgeAll(): Promise<number> {
    const priorities = await this.#queue.priorities();
    const counts = await this.#slots.each(({ keys }) => purgeWaiting(this.#connection.commands, keys, priorities));
    return counts.reduce((total, count) => total + count, 0);
  }

  /**
   * The chosen letters that were here when the call began, in pieces: a message that dies again meanwhile is not sent back again. Those
   * before a message at which the filter throws are processed.
   */
  async *#chosen({ ids, filter }: DeadLetterChoice, size: number): AsyncGenerator<Piece> {
    const began = [...new Set(ids ?? (await this.#ids()))];
    for (let next = 0; next < began.length; next += size) {
      const { messages, unreadable } = await this.#named(began.slice(next, next + size));
      const chosen: QueuedMessage[] = [];
      try {
        for (const message of messages)
          if (filter === undefined || accepted(isWanted, filter(message))) chosen.push(message);
      } catch (error) {
        yield { messages: chosen, unreadable };
        throw error;
      }
      yield { messages: chosen, unreadable };
    }
  }

  /** The messages of some ids that live here, each once. */
  async #named(ids: readonly string[]): Promise<Piece> {
    const found = await this.#slots.each(({ keys }) => messagesNamed(this.#connection.commands, keys, ids));
    const byName = new Map(found.flat().map((message) => [message.name, message]));
    const inOrder = new Map(ids.flatMap((id) => byName.get(id) ?? []).map(({ entry, frame }) => [entry, frame]));
    const stored = [...inOrder].map(([id, frame]) => ({ id, frame }));
    const { messages, unreadable } = readMessages(this.#queue.name, stored, this.#codecs);
    return { messages: messages.map(({ message }) => message), unreadable };
  }

  async #ids(): Promise<string[]> {
    const ids: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.list({ limit: pageSize, cursor });
      for (const { id } of [...page.messages, ...page.unreadable]) ids.push(id);
      cursor = page.cursor;
    } while (cursor !== undefined);
    return ids;
  }

  /** Removes those of a piece that wait. Resolves to their ids. */
  async #remove(messages: readonly { readonly id: string }[]): Promise<string[]> {
    const ids = messages.map(({ id }) => id);
    return (await this.#slots.each((place) => removeMessages(this.#connection.commands, place, ids))).flat();
  }

  /** Sends messages back, and then removes those that were. Resolves to why each could not be sent back; undefined where it was. */
  async #redrivePiece(
    messages: readonly QueuedMessage[],
    options: ResolvedRedrive,
    allowed: ReadonlySet<string>,
  ): Promise<(readonly [id: string, why: string | undefined])[]> {
    const router = options.dryRun ? await this.#search.router(this.#queue.name) : undefined;
    const results = await Promise.all(
      messages.map(async (message) => {
        const sent = () => (router ? targetProblem(router, message, options) : this.#sendBack(message, options));
        return [message.id, problemOf(message, options, allowed) ?? (await sent())] as const;
      }),
    );
    if (router === undefined) await this.#remove(results.flatMap(([id, why]) => (why === undefined ? [{ id }] : [])));
    return results;
  }

  /** Resolves to why it could not be sent back; undefined when it was. */
  async #sendBack(message: QueuedMessage, { to }: RedriveOptions): Promise<string | undefined> {
    const stored = { ...message.stored(), id: message.messageId };
    const { origin, destination } = wayBack(message, to);
    const entry = entryAfter(this.#queue.name, message.id);
    try {
      const receipt =
        'queue' in destination
          ? await this.#forwarder.forward({ entry, message: { ...stored, ...origin }, toQueue: destination.queue })
          : await this.#forwarder.forward({
              entry,
              message: {
                ...stored,
                exchange: destination.exchange,
                routingKey: destination.routingKey ?? origin.routingKey,
              },
            });
      if (receipt.queues.length + receipt.topics.length === 0) return noTaker;
    } catch (error) {
      return messageOf(error);
    }
    return undefined;
  }
}
