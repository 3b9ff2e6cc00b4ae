import { CodecError, deadLettersOf } from '@millrace/core';
import { type RedisConnection, reach } from '@millrace/redis';
import { deadLetterTarget } from '../model/dead-letter.js';
import { entryAfter } from '../model/entry.js';
import { decodeFrame } from '../model/message-frame.js';
import type { QueueSettings } from '../model/queue-settings.js';
import type { Router } from '../model/routing.js';
import { queueOf, slotsOf } from '../model/shards.js';
import { queueKeys } from '../store/keys.js';
import { entriesOfId, frameOf } from '../store/search.js';

/** The most queues that are searched for one dead letter. */
const mostQueues = 32;

/** A dead letter, and the queue that holds it. */
export interface FoundDeadLetter {
  readonly queue: string;
  readonly entry: string;
  readonly frame: Buffer;
  /** When it died in the given queue, in ms since 1970; if several times for the same reason, the first time. */
  readonly diedAt: number;
}

/** What is searched for. */
interface Wanted {
  /** The queue in which it died. */
  readonly origin: string;
  readonly id: string;
  /** Possible names of it in the target queues, if `id` was its entry. */
  readonly entries: readonly string[];
}

/**
 * Finds the dead letter of a message by searching the queues that it may have gone to. Nothing is written for this when a message dies: a
 * dead letter keeps its id, and its history names the queues in which it died.
 */
export class DeadLetterSearch {
  readonly #connection: RedisConnection;
  readonly #topology: () => Promise<Router>;
  readonly #timeoutMs: number;

  /** @param timeoutMs how long a search waits for a Redis that is away */
  constructor(connection: RedisConnection, topology: () => Promise<Router>, timeoutMs: number) {
    this.#connection = connection;
    this.#topology = topology;
    this.#timeoutMs = timeoutMs;
  }

  /** The message of that id, or of that entry, which died in `origin`. @throws {UnavailableError} */
  find(origin: string, id: string): Promise<FoundDeadLetter | undefined> {
    const to = { what: `look for the dead letters of queue "${origin}"`, timeoutMs: this.#timeoutMs };
    return reach(this.#connection, to, async () => this.#find(await this.#topology(), origin, id));
  }

  /** What is declared now, for a redrive from `queue`. @throws {UnavailableError} */
  router(queue: string): Promise<Router> {
    return reach(this.#connection, { what: `reach queue "${queue}"`, timeoutMs: this.#timeoutMs }, this.#topology);
  }

  /**
   * The queues whose dead letters come to `queue`, by the present declarations: those that declare it as their target, and the one that it
   * is named after. @throws {UnavailableError}
   */
  async sourcesOf(queue: string): Promise<ReadonlySet<string>> {
    const router = await this.router(queue);
    const comesHere = (settings: QueueSettings): boolean =>
      deadLettersOf(settings.name) === queue || router.reachable(deadLetterTarget(settings)).includes(queue);
    return new Set([...router.topology.queues.values()].filter(comesHere).map(({ name }) => name));
  }

  async #find(router: Router, origin: string, id: string): Promise<FoundDeadLetter | undefined> {
    const { queues } = router.topology;
    const source = queues.get(origin);
    if (source === undefined) return undefined;
    const wanted: Wanted = { origin, id, entries: slotsOf(source).map((slot) => entryAfter(slot, id)) };
    // A Set keeps the order of insertion, and items added during the iteration are visited too.
    const places = new Set([origin]);
    for (const name of places) {
      const settings = queues.get(name);
      if (settings === undefined) continue;
      for (const slot of name === origin ? [] : slotsOf(settings)) {
        const found = await this.#inSlot(slot, wanted);
        if (found !== undefined) return found;
      }
      for (const next of [...router.reachable(deadLetterTarget(settings)), deadLettersOf(name)])
        if (places.size <= mostQueues) places.add(next);
    }
    return undefined;
  }

  /** The one that died last. Others in the slot may have its id: copies that died in another queue. */
  async #inSlot(slot: string, { origin, id, entries }: Wanted): Promise<FoundDeadLetter | undefined> {
    const { commands, prefix } = this.#connection;
    const [keys, queue] = [queueKeys(prefix, slot), queueOf(slot)];
    let last: FoundDeadLetter | undefined;
    for (const entry of await entriesOfId(commands, keys, id, entries)) {
      const frame = await frameOf(commands, keys, entry);
      const diedAt = frame && lastDeathIn(origin, frame, queue);
      if (frame === undefined || diedAt === undefined) continue;
      if (last === undefined || diedAt >= last.diedAt) last = { queue, entry, frame, diedAt };
    }
    return last;
  }
}

/** The time of the last death in `origin`; undefined when it did not die there. */
function lastDeathIn(origin: string, frame: Buffer, queue: string): number | undefined {
  try {
    const deaths = decodeFrame(frame, queue).deaths.filter((death) => death.queue === origin);
    return deaths.length === 0 ? undefined : Math.max(...deaths.map(({ time }) => time));
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}
