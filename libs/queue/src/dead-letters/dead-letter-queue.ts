import {
  accepted,
  type CodecRegistry,
  InvalidMessageError,
  isBoolean,
  type RedriveReport,
  rateOf,
} from '@millrace/core';
import { keepPace, RateLimit } from '@millrace/delivery';
import type { RedisConnection } from '@millrace/redis';
import type { MessagePage, PageOptions } from '../message-page.js';
import type { MessageState } from '../message-state.js';
import { encodeFrame } from '../model/message-frame.js';
import type { Forwarder } from '../publishing/forwarder.js';
import type { QueueSlots } from '../queue-slots.js';
import { type QueuedMessage, readMessages, type UnreadableMessage } from '../queued-message.js';
import { listReadyEntries } from '../store/browse.js';
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
import { Redrive } from './redrive.js';
import { deathsInOrigin } from './redrive-origin.js';
import { sendBack } from './send-back.js';

/** The queue whose messages are its dead letters. */
export interface DeadLetterQueueContext<T> {
  readonly name: string;
  ready(options?: PageOptions): Promise<MessagePage<T>>;
  message(id: string): Promise<MessageState<T> | undefined>;
  priorities(): Promise<number>;
}

/** Dead letters of one piece. */
interface Piece<T> {
  readonly messages: readonly QueuedMessage<T>[];
  readonly unreadable: readonly UnreadableMessage[];
}

/** Those of a piece that were chosen. */
interface ChosenPiece<T> extends Piece<T> {
  /** How many the filter left out. */
  readonly filtered: number;
}

const pageSize = 1000;
/** How many are sent back or removed in one call. */
const pieceSize = 250;
const isWanted = { name: 'the filter', expects: 'true or false', accepts: isBoolean };

/** A queue of dead letters: list, edit, send back, or delete them. */
export class DeadLetterQueue<T = unknown> {
  readonly #queue: DeadLetterQueueContext<T>;
  readonly #connection: RedisConnection;
  readonly #forwarder: Forwarder;
  readonly #codecs: CodecRegistry;
  readonly #slots: QueueSlots;
  readonly #search: DeadLetterSearch;

  constructor(
    queue: DeadLetterQueueContext<T>,
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
  list(options?: PageOptions): Promise<MessagePage<T>> {
    return this.#queue.ready(options);
  }

  /** The dead letter with this id; undefined when it is not in this queue. */
  async get(id: string): Promise<QueuedMessage<T> | undefined> {
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
  async redrive(options: RedriveOptions<T> = {}): Promise<RedriveReport> {
    const resolved = checkedRedrive(options);
    const { limit = Number.POSITIVE_INFINITY, dryRun } = resolved;
    const allowed = new Set([...(await this.#search.sourcesOf(this.#queue.name)), ...(resolved.allowQueues ?? [])]);
    const router = dryRun ? await this.#search.router(this.#queue.name) : undefined;
    const redrive = new Redrive(limit, {
      send: (letters) => sendBack(this.#forwarder, this.#queue.name, letters, { to: resolved.to, router, allowed }),
      remove: async (letters) => (router === undefined ? this.#remove(letters) : undefined),
    });
    try {
      await this.#redriveChosen(redrive, resolved);
    } finally {
      await redrive.end();
    }
    return redrive.tally.report();
  }

  async #redriveChosen(redrive: Redrive, options: ResolvedRedrive<T>): Promise<void> {
    const { maxRedrives, dryRun, signal } = options;
    const { tally } = redrive;
    const given = rateOf(options);
    const rate = given && !dryRun ? new RateLimit(given, performance.now(), 1) : undefined;
    for await (const piece of this.#chosen(options, rate === undefined ? pieceSize : 1)) {
      const waiting = piece.messages.filter((message) => deathsInOrigin(message) <= maxRedrives);
      tally.add('filtered', piece.filtered);
      tally.add('looping', piece.messages.length - waiting.length);
      for (const { id, error } of piece.unreadable) tally.add({ id, why: error.message });
      while (waiting.length > 0 && !redrive.isOver) {
        if (rate === undefined ? signal?.aborted : !(await keepPace(rate, signal))) return;
        await redrive.send(waiting);
        if (rate !== undefined) await redrive.settle();
      }
      if (redrive.isOver || signal?.aborted) return;
    }
  }

  /**
   * Deletes dead letters: these, those that a filter selects, or all; all are the messages that wait in this queue, whether they died or
   * not. A filter selects none that cannot be read. Resolves to the number deleted.
   */
  async purge(choice: DeadLetterChoice<T> = {}): Promise<number> {
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
  async *#chosen({ ids, filter }: DeadLetterChoice<T>, size: number): AsyncGenerator<ChosenPiece<T>> {
    const began = [...new Set(ids ?? (await this.#ids()))];
    // One that waits for its rate is read when its time has come: it may be edited meanwhile.
    const isAhead = size > 1;
    let ahead: Promise<Piece<T>> | undefined;
    const read = (first: number): Promise<Piece<T>> => {
      const piece = this.#named(began.slice(first, first + size));
      piece.catch(() => undefined);
      return piece;
    };
    // The same letter may be named by its id and by its entry.
    const met = new Set<string>();
    const isNew = ({ id }: QueuedMessage<T>): boolean => ids === undefined || (!met.has(id) && met.add(id).has(id));
    for (let next = 0; next < began.length; next += size) {
      const { messages, unreadable } = await (ahead ?? read(next));
      ahead = isAhead && next + size < began.length ? read(next + size) : undefined;
      const chosen: QueuedMessage<T>[] = [];
      const candidates = messages.filter(isNew);
      try {
        for (const message of candidates)
          if (filter === undefined || accepted(isWanted, filter(message))) chosen.push(message);
      } catch (error) {
        yield { messages: chosen, unreadable, filtered: 0 };
        throw error;
      }
      yield { messages: chosen, unreadable, filtered: candidates.length - chosen.length };
    }
  }

  /** The messages of some ids that live here, each once. */
  async #named(ids: readonly string[]): Promise<Piece<T>> {
    const found = await this.#slots.each(({ keys }) => messagesNamed(this.#connection.commands, keys, ids));
    const byName = new Map(found.flat().map((message) => [message.name, message]));
    const inOrder = new Map(ids.flatMap((id) => byName.get(id) ?? []).map(({ entry, frame }) => [entry, frame]));
    const stored = [...inOrder].map(([id, frame]) => ({ id, frame }));
    const { messages, unreadable } = readMessages<(typeof stored)[number], T>(this.#queue.name, stored, this.#codecs);
    return { messages: messages.map(({ message }) => message), unreadable };
  }

  /** The entries of all that wait, and stale ones. */
  async #ids(): Promise<string[]> {
    const priorities = await this.#queue.priorities();
    const ids: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.#slots.page({ queue: this.#queue.name, limit: pageSize, cursor }, ({ keys }, range) =>
        listReadyEntries(this.#connection.commands, keys, priorities, range),
      );
      for (const { id } of page.messages) ids.push(id);
      cursor = page.cursor;
    } while (cursor !== undefined);
    return ids;
  }

  /** Removes those of a piece that wait. Resolves to their ids. */
  async #remove(messages: readonly { readonly id: string }[]): Promise<string[]> {
    const ids = messages.map(({ id }) => id);
    return (await this.#slots.each((place) => removeMessages(this.#connection.commands, place, ids))).flat();
  }
}
