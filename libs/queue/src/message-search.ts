import { assertNoProblem, type CodecRegistry, shown } from '@millrace/core';
import type { RedisConnection } from '@millrace/redis';
import { CompletedMessage } from './completed-message.js';
import type { DeadLetterSearch } from './dead-letters/dead-letter-search.js';
import { type MessageState, stateOfCompleted, stateOfDeadLetter, stateOfFound } from './message-state.js';
import type { QueueSlots } from './queue-slots.js';
import { QueuedMessage } from './queued-message.js';
import { findCompleted } from './store/completed-messages.js';
import { findMessage, keptResult } from './store/job.js';

/** @throws {OptionsError} an id from untyped code is not a string */
export function assertMessageId(queue: string, id: unknown): void {
  const isString = typeof id === 'string';
  assertNoProblem(`queue "${queue}"`, isString ? undefined : `the id of a message must be a string, got ${shown(id)}`);
}

/** Finds a message of one queue by its id: waiting, running, completed, or dead and in another queue. */
export class MessageSearch<T, R> {
  readonly #queue: string;
  readonly #connection: RedisConnection;
  readonly #codecs: CodecRegistry;
  readonly #slots: QueueSlots;
  readonly #deadLetters: DeadLetterSearch;

  constructor(
    queue: string,
    connection: RedisConnection,
    codecs: CodecRegistry,
    slots: QueueSlots,
    deadLetters: DeadLetterSearch,
  ) {
    this.#queue = queue;
    this.#connection = connection;
    this.#codecs = codecs;
    this.#slots = slots;
    this.#deadLetters = deadLetters;
  }

  /** Undefined when there is none. */
  async find(id: string): Promise<MessageState<T, R> | undefined> {
    assertMessageId(this.#queue, id);
    const found = (await this.#held(id)) ?? (await this.#ended(id));
    if (found !== undefined) return found;
    // Both searches miss a dead letter that is sent back between them: it is here now.
    return (await this.#held(id)) ?? this.#completed(id);
  }

  async #held(id: string): Promise<MessageState<T, R> | undefined> {
    const found = await this.#slots.find((place) => findMessage(this.#connection.commands, place, id, 'find'));
    if (found === undefined) return undefined;
    return stateOfFound(this.#queue, new QueuedMessage<T>(this.#queue, found.entry, found.frame, this.#codecs), found);
  }

  async #ended(id: string): Promise<MessageState<T, R> | undefined> {
    const completed = await this.#completed(id);
    const dead = await this.#deadLetters.find(this.#queue, id);
    if (dead === undefined) return completed;
    const { queue, entry, frame, diedAt } = dead;
    // A result that is kept without its message has no time: it counts as the later one.
    if (completed !== undefined && (completed.completedAt ?? Number.POSITIVE_INFINITY) > diedAt) return completed;
    return stateOfDeadLetter(queue, new QueuedMessage<T>(queue, entry, frame, this.#codecs));
  }

  async #completed(id: string): Promise<MessageState<T, R> | undefined> {
    const { commands } = this.#connection;
    const [kept, result] = await Promise.all([
      this.#slots.find(({ keys }) => findCompleted(commands, keys, id)),
      this.#slots.find((place) => keptResult(commands, place, id)),
    ]);
    const completed = kept && new CompletedMessage<T, R>(this.#queue, kept, this.#codecs);
    return stateOfCompleted(this.#queue, completed, result);
  }
}
