import {
  accepted,
  boolean,
  custom,
  InvalidMessageError,
  integer,
  isBoolean,
  messageOf,
  optional,
  type Rate,
  rateOf,
  rateOption,
  resolveOptions,
} from '@millrace/core';
import { keepPace, RateLimit } from '@millrace/delivery';
import type { RedisConnection } from '@millrace/redis';
import { encodeFrame, type FrameInput } from '../model/message-frame.js';
import type { Forwarder } from '../publishing/forwarder.js';
import type { MessagePage, PageOptions, QueueHandle } from '../queue-handle.js';
import type { QueueSlots } from '../queue-slots.js';
import type { QueuedMessage } from '../queued-message.js';
import { replaceWaiting } from '../store/browse.js';

/** Which dead letters to send back, and how. */
export interface RedriveOptions {
  /** Only these. Default: all that are there when it begins. */
  readonly ids?: readonly string[] | undefined;
  /**
   * Only those for which it returns true. Default: all. What it throws, or another value than true or false, ends the redrive
   * with that error; what was sent back is.
   */
  readonly filter?: ((message: QueuedMessage) => boolean) | undefined;
  /** Where to. Default: each back into the queue where it died last. */
  readonly to?: { readonly queue: string } | { readonly exchange: string; readonly routingKey?: string } | undefined;
  /** Most messages per interval. Default: no limit. */
  readonly rate?: Rate | undefined;
  /**
   * Most messages per second.
   *
   * @deprecated `maxPerSecond: n` is `rate: { limit: n, intervalMs: 1000 }`.
   */
  readonly maxPerSecond?: number | undefined;
  /** Most messages in all. Default: no limit. */
  readonly limit?: number | undefined;
  /** Those that came back so often are left where they are: a bug does not go away by sending it round. Default 3. */
  readonly maxRedrives?: number | undefined;
  /** Only tell what would be done. Default false. */
  readonly dryRun?: boolean | undefined;
  /** Ends it between two messages, also while it waits for its rate; the report says how far it came. */
  readonly signal?: AbortSignal | undefined;
}

/** What a redrive did, or would do. */
export interface RedriveReport {
  /** Ids that were sent back (or would be). */
  readonly redriven: readonly string[];
  /** Left because they died too often. */
  readonly looping: readonly string[];
  /** Left because no queue would take them: there is no history, no such queue, or it is full. */
  readonly stuck: readonly { readonly id: string; readonly why: string }[];
}

const pageSize = 100;
const isWanted = { name: 'the filter', expects: 'true or false', accepts: isBoolean };

/** A queue of dead letters: look at them, mend them, send them back, or throw them away. */
export class DeadLetterQueue {
  readonly #queue: QueueHandle;
  readonly #connection: RedisConnection;
  readonly #forwarder: Forwarder;
  readonly #slots: QueueSlots;

  constructor(queue: QueueHandle, connection: RedisConnection, forwarder: Forwarder, slots: QueueSlots) {
    this.#slots = slots;
    this.#queue = queue;
    this.#connection = connection;
    this.#forwarder = forwarder;
  }

  /** The oldest first. */
  list(options?: PageOptions): Promise<MessagePage> {
    return this.#queue.ready(options);
  }

  /** One that is here, by its id. */
  async get(id: string): Promise<QueuedMessage | undefined> {
    return (await this.#queue.message(id))?.message;
  }

  /** Changes one that waits; its history stays. False when it does not wait here. @throws {InvalidMessageError} */
  async edit(
    id: string,
    change: Pick<Partial<FrameInput>, 'headers' | 'routingKey'> & { readonly payload?: unknown },
  ): Promise<boolean> {
    const message = await this.get(id);
    if (message === undefined) return false;
    const { payload, ...others } = change;
    const body = payload === undefined ? message.body : JSON.stringify(payload);
    if (body === undefined) throw new InvalidMessageError(`message ${id}: JSON has no ${typeof payload}.`);
    const codecId = payload === undefined ? message.stored().codecId : 1;
    const frame = encodeFrame({ ...message.stored(), ...others, codecId, body }, this.#queue.name);
    const priorities = await this.#queue.priorities();
    const { commands } = this.#connection;
    const replaced = await this.#slots.each(({ keys }) => replaceWaiting(commands, keys, priorities, { id, frame }));
    return replaced.includes(true);
  }

  /**
   * Sends dead letters back. Each is published first and removed then, so none is lost; one that is sent a second time
   * because of a crash in between is recognised where it goes.
   */
  async redrive(options: RedriveOptions = {}): Promise<RedriveReport> {
    const resolved = checked(options);
    const { maxRedrives, limit = Number.POSITIVE_INFINITY, dryRun, signal } = resolved;
    const report = { redriven: [] as string[], looping: [] as string[], stuck: [] as { id: string; why: string }[] };
    const given = rateOf(resolved);
    const rate = given && new RateLimit(given, performance.now(), 1);
    for await (const message of this.#chosen(options)) {
      if (report.redriven.length >= limit || signal?.aborted === true) break;
      if ((message.deaths[0]?.count ?? 0) > maxRedrives) {
        report.looping.push(message.id);
        continue;
      }
      if (!dryRun && rate !== undefined && !(await keepPace(rate, signal))) break;
      const why = dryRun ? problemOf(message, options) : await this.#redriveOne(message, options);
      if (why === undefined) report.redriven.push(message.id);
      else report.stuck.push({ id: message.id, why });
    }
    return report;
  }

  /** Throws dead letters away: those, those that a filter picks, or all. Resolves to how many. */
  async purge(options: Pick<RedriveOptions, 'ids' | 'filter'> = {}): Promise<number> {
    let count = 0;
    for await (const { id } of this.#chosen(options)) if (await this.#queue.remove(id)) count++;
    return count;
  }

  /** Those that are meant and that were here when it began: what dies again meanwhile is not sent round once more. */
  async *#chosen({ ids, filter }: Pick<RedriveOptions, 'ids' | 'filter'>): AsyncGenerator<QueuedMessage> {
    const began = ids === undefined ? await this.#ids() : ids;
    for (const id of began) {
      const message = await this.get(id);
      if (message !== undefined && (filter === undefined || accepted(isWanted, filter(message)))) yield message;
    }
  }

  async #ids(): Promise<string[]> {
    const ids: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.list({ limit: pageSize * 10, cursor });
      for (const { id } of page.messages) ids.push(id);
      cursor = page.cursor;
    } while (cursor !== undefined);
    return ids;
  }

  /** Resolves to why it could not be sent back; undefined when it was. */
  async #redriveOne(message: QueuedMessage, { to }: RedriveOptions): Promise<string | undefined> {
    const problem = problemOf(message, { to });
    if (problem !== undefined) return problem;
    const { id } = message;
    const death = message.deaths[0];
    const stored = message.stored();
    const origin = { exchange: death?.exchange ?? '', routingKey: death?.routingKeys[0] ?? message.routingKey };
    const destination = to ?? { queue: death?.queue ?? '' };
    try {
      const receipt =
        'queue' in destination
          ? await this.#forwarder.forward({ id, message: { ...stored, ...origin }, toQueue: destination.queue })
          : await this.#forwarder.forward({
              id,
              message: {
                ...stored,
                exchange: destination.exchange,
                routingKey: destination.routingKey ?? origin.routingKey,
              },
            });
      if (receipt.queues.length + receipt.topics.length === 0)
        return 'nobody takes it there: no binding, or it is full';
    } catch (error) {
      return messageOf(error);
    }
    await this.#queue.remove(id);
    return undefined;
  }
}

function problemOf({ deaths }: QueuedMessage, { to }: Pick<RedriveOptions, 'to'>): string | undefined {
  return to === undefined && deaths.length === 0 ? 'it has no history: say where to' : undefined;
}

/** @throws {OptionsError} with every problem */
function checked(options: RedriveOptions): RedriveOptions & { readonly maxRedrives: number; readonly dryRun: boolean } {
  return resolveOptions(
    'redrive',
    {
      ids: optional(custom<readonly string[]>([], 'a list of ids', (value): value is string[] => Array.isArray(value))),
      filter: optional(
        custom(
          () => true,
          'a function',
          (value): value is () => boolean => typeof value === 'function',
        ),
      ),
      to: optional(custom<NonNullable<RedriveOptions['to']>>({ queue: '' }, 'a queue or an exchange', isDestination)),
      rate: rateOption(options),
      maxPerSecond: optional(integer(1, { min: 1 })),
      limit: optional(integer(0)),
      maxRedrives: integer(3),
      dryRun: boolean(false),
      signal: optional(
        custom(
          new AbortController().signal,
          'an AbortSignal',
          (value): value is AbortSignal => value instanceof AbortSignal,
        ),
      ),
    },
    options,
  );
}

function isDestination(value: unknown): value is NonNullable<RedriveOptions['to']> {
  return typeof value === 'object' && value !== null && ('queue' in value || 'exchange' in value);
}
