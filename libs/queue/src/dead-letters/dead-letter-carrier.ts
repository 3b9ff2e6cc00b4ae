import { CodecError, deadLettersOf, keepsDeadLetters, maxNameBytes, TopologyNotFoundError } from '@millrace/core';
import type { Events } from '@millrace/delivery';
import type { RedisConnection } from '@millrace/redis';
import { asDeadLetter, deadLetterTarget, isCycle, parseWhyDead } from '../model/dead-letter.js';
import { entryAfter, entryInLife } from '../model/entry.js';
import { decodeFrame, type FrameInput } from '../model/message-frame.js';
import type { DeadLetterTarget, QueueSettings } from '../model/queue-settings.js';
import { isRequest } from '../model/reply-frame.js';
import { queueOf } from '../model/shards.js';
import type { Forwarder } from '../publishing/forwarder.js';
import { type Dying, deadLettersArrived, parkDying, queueSettingsJson, someDying } from '../store/dying.js';
import { queueKeys } from '../store/keys.js';

/** What a carrier needs to know of the topology. */
export interface DeadLetterRoutes {
  /** The queues that a message would reach. */
  queuesFor(
    target: { readonly exchange: string; readonly routingKey: string },
    message: FrameInput,
  ): Promise<readonly string[]>;
  declareQueue(name: string): Promise<unknown>;
}

/**
 * Takes dead letters from their queue to where dead letters go. A queue's script can only mark them, the other place may be
 * in another slot: so first they are published there, under an entry that makes repeating harmless, then they are forgotten
 * here. If a process dies in between, another carries on. No dead letter is ever dropped: what has no way goes to `<queue>.dead-letters`.
 */
export class DeadLetterCarrier {
  readonly #connection: RedisConnection;
  readonly #forwarder: Forwarder;
  readonly #routes: DeadLetterRoutes;
  readonly #events: Events;
  readonly #running = new Map<string, Promise<void>>();
  readonly #again = new Set<string>();

  constructor(connection: RedisConnection, forwarder: Forwarder, routes: DeadLetterRoutes, events: Events) {
    this.#connection = connection;
    this.#forwarder = forwarder;
    this.#routes = routes;
    this.#events = events;
  }

  /** Carries on all that is dying in a slot of a queue. Called again meanwhile, it looks once more at the end. */
  carry(slot: string): void {
    if (this.#running.has(slot)) {
      this.#again.add(slot);
      return;
    }
    const running = this.#carryAll(slot)
      .catch((error: unknown) => {
        this.#events.emit('background-error', { duty: `dead letters of queue "${queueOf(slot)}"`, error });
      })
      .finally(() => {
        this.#running.delete(slot);
        if (this.#again.delete(slot)) this.carry(slot);
      });
    this.#running.set(slot, running);
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  async #carryAll(slot: string): Promise<void> {
    const keys = queueKeys(this.#connection.prefix, slot);
    const client = this.#connection.commands;
    const settings = await queueSettingsJson(client, keys);
    if (settings === undefined) return;
    const target = deadLetterTarget(JSON.parse(settings) as QueueSettings);
    let cursor = '0';
    do {
      const [next, letters] = await someDying(client, keys, cursor);
      cursor = next;
      const inOrder = letters.toSorted((a, b) => parseWhyDead(a.why).time - parseWhyDead(b.why).time);
      const arrived = await Promise.all(inOrder.map((letter) => this.#carryOne(slot, target, letter)));
      const entries = arrived.filter((entry) => entry !== undefined);
      if (entries.length > 0) await deadLettersArrived(client, keys, entries);
      this.#tell(
        queueOf(slot),
        letters.filter(({ entry }) => entries.includes(entry)),
      );
    } while (cursor !== '0');
  }

  /** What a handler gave up was reported when it did; the rest is reported here. */
  #tell(queue: string, arrived: readonly Dying[]): void {
    for (const { why } of arrived) {
      const { reason, handler } = parseWhyDead(why);
      if (handler === undefined) this.#events.emit('died', { source: `queue:${queue}`, reason, count: 1 });
    }
  }

  /** Resolves to its entry when the dead letter has arrived elsewhere. */
  async #carryOne(slot: string, declared: DeadLetterTarget, letter: Dying): Promise<string | undefined> {
    const queue = queueOf(slot);
    const why = parseWhyDead(letter.why);
    try {
      const stored = decodeFrame(letter.frame, queue);
      const message = { ...stored, id: stored.id ?? idOfEntry(letter.entry) };
      // No requester waits any more for the reply to a request that has expired.
      if (why.reason === 'expired' && isRequest(message)) return letter.entry;
      const entry = entryAfter(slot, letter.entry);
      const dead = asDeadLetter(message, queue, why, declared);
      if (await this.#reaches(dead)) {
        const receipt = await this.#forwarder.forward({ entry, message: dead });
        if (receipt.refused.some(({ isDeadLettered }) => !isDeadLettered)) return undefined;
        if (!receipt.isUnroutable) return letter.entry;
      }
      return await this.#keep(slot, letter, entry, asDeadLetter(message, queue, why, defaultTarget(queue)));
    } catch (error) {
      // Bytes that are no message of ours cannot go through an exchange.
      if (!(error instanceof CodecError)) throw error;
      await parkDying(this.#connection.commands, queueKeys(this.#connection.prefix, slot), letter.entry);
      return undefined;
    }
  }

  /** Whether there is a place at the other end, and the message has not just come from there. */
  async #reaches(dead: FrameInput): Promise<boolean> {
    try {
      const { exchange, routingKey, deaths = [] } = dead;
      const queues = await this.#routes.queuesFor({ exchange, routingKey }, dead);
      return !queues.some((destination) => isCycle(deaths, destination));
    } catch (error) {
      if (error instanceof TopologyNotFoundError) return false;
      throw error;
    }
  }

  /** Puts it into the default place; dead letters of that place itself are set aside there. */
  async #keep(slot: string, letter: Dying, entry: string, message: FrameInput): Promise<string | undefined> {
    const queue = queueOf(slot);
    if (keepsDeadLetters(queue)) {
      await parkDying(this.#connection.commands, queueKeys(this.#connection.prefix, slot), letter.entry);
      return undefined;
    }
    await this.#routes.declareQueue(deadLettersOf(queue));
    const receipt = await this.#forwarder.forward({ entry, message, toQueue: deadLettersOf(queue) });
    return receipt.refused.length === 0 ? letter.entry : undefined;
  }
}

/** Where a message goes on it has another entry: what was its id stays its id. An entry of ours is short. */
function idOfEntry(entry: string): string | undefined {
  const id = entryInLife(entry);
  return Buffer.byteLength(id) > maxNameBytes ? undefined : id;
}

function defaultTarget(queue: string): DeadLetterTarget {
  return { exchange: '', routingKey: deadLettersOf(queue) };
}
