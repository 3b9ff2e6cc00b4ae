import { CodecError, deadLettersOf, keepsDeadLetters, maxNameBytes, TopologyNotFoundError } from '@millrace/core';
import type { Events } from '@millrace/delivery';
import type { FollowUp, LineOrigin } from '../endings/follow-up.js';
import { asDeadLetter, deadLetterTarget, isCycle, parseWhyDead, type WhyDead } from '../model/dead-letter.js';
import { entryAfter, entryInLife } from '../model/entry.js';
import { type Line, lineOf } from '../model/line.js';
import { decodeFrame, type FrameInput, type StoredMessage } from '../model/message-frame.js';
import type { DeadLetterTarget } from '../model/queue-settings.js';
import type { Receipt } from '../model/receipt.js';
import { isRequest } from '../model/reply-target.js';
import { queueOf } from '../model/shards.js';
import type { ForwardedMessage, Forwarder } from '../publishing/forwarder.js';
import type { LineResult } from '../store/ended.js';

/** What it must know of the topology. */
export interface DeadLetterRoutes {
  /** The queues that a message would reach. */
  queuesFor(
    target: { readonly exchange: string; readonly routingKey: string },
    message: FrameInput,
  ): Promise<readonly string[]>;
  declareQueue(name: string): Promise<unknown>;
}

/**
 * Forwards a dead letter to where its queue's dead letters go, under an entry and a number that make a repetition harmless. None is ever
 * dropped: one without a route goes to `<queue>.dead-letters`, and if that cannot take it either, it is parked.
 */
export class DeadLetterFollowUp implements FollowUp {
  readonly #forwarder: Forwarder;
  readonly #routes: DeadLetterRoutes;
  readonly #events: Events;

  constructor(forwarder: Forwarder, routes: DeadLetterRoutes, events: Events) {
    this.#forwarder = forwarder;
    this.#routes = routes;
    this.#events = events;
  }

  async carry(line: Line, origin: LineOrigin): Promise<LineResult> {
    const queue = queueOf(origin.slot);
    const why = parseWhyDead(line.data);
    const message = messageOf(line, queue);
    // Bytes that are not a message cannot go through an exchange.
    if (message === undefined) return { kind: 'parked' };
    // No requester waits any longer for the reply to an expired request.
    if (why.reason === 'expired' && isRequest(message)) return { kind: 'arrived' };
    const letter = (target: DeadLetterTarget): ForwardedMessage => ({
      entry: entryAfter(origin.slot, line.entry),
      message: asDeadLetter(message, queue, why, target),
      line: { source: origin.slot, number: line.number, floor: origin.floor },
    });
    const declared = letter(deadLetterTarget(origin.settings));
    if (why.to !== undefined) return this.#bring(declared, why.to, why);
    const receipt = (await this.#reaches(declared.message)) ? await this.#forward(declared) : undefined;
    if (receipt !== undefined && !receipt.isUnroutable) return resultOf(receipt, why);
    if (keepsDeadLetters(queue)) return { kind: 'parked' };
    const place = deadLettersOf(queue);
    await this.#routes.declareQueue(place);
    const kept = await this.#forwarder.forward({ ...letter({ exchange: '', routingKey: place }), toQueue: place });
    return resultOf(kept, why);
  }

  /** What a handler gave up was reported then; the rest is reported here. */
  arrived({ data }: Line, { slot }: LineOrigin): void {
    const { reason, handler } = parseWhyDead(data);
    if (handler === undefined) this.#events.emit('died', { source: `queue:${queueOf(slot)}`, reason, count: 1 });
  }

  parked(line: Line, { slot }: LineOrigin): void {
    const { reason, error } = parseWhyDead(line.data);
    const queue = queueOf(slot);
    const messageId = messageOf(line, queue)?.id ?? entryInLife(line.entry);
    this.#events.emit('parked', { source: `queue:${queue}`, messageId, reason, error });
  }

  /** Whether the target exists, and the message has not just come from there. */
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

  /** Undefined when the target has just been deleted. */
  async #forward(letter: ForwardedMessage): Promise<Receipt | undefined> {
    try {
      return await this.#forwarder.forward(letter);
    } catch (error) {
      if (error instanceof TopologyNotFoundError) return undefined;
      throw error;
    }
  }

  /** Brings it to those queues that refused it while others took it. A queue that was deleted meanwhile is left out. */
  async #bring(letter: ForwardedMessage, queues: readonly string[], why: WhyDead): Promise<LineResult> {
    const receipts = await Promise.all(queues.map((toQueue) => this.#forward({ ...letter, toQueue })));
    const to = receipts.flatMap((receipt) => (receipt === undefined ? [] : refusersOf(receipt)));
    return to.length === 0 ? { kind: 'arrived' } : { kind: 'refused', line: lineTo(to, why) };
  }
}

/** The message, with its id unchanged. Undefined when it cannot be read. */
function messageOf({ entry, frame }: Line, queue: string): StoredMessage | undefined {
  if (frame === undefined) return undefined;
  try {
    const stored = decodeFrame(frame, queue);
    const id = stored.id ?? entryInLife(entry);
    // An entry written by Millrace is short.
    return Buffer.byteLength(id) > maxNameBytes ? stored : { ...stored, id };
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}

function resultOf(receipt: Receipt, why: WhyDead): LineResult {
  const to = refusersOf(receipt);
  if (to.length === 0) return { kind: 'arrived' };
  const isTaken = receipt.queues.length + receipt.topics.length + receipt.refused.length > to.length;
  return { kind: 'refused', line: isTaken ? lineTo(to, why) : undefined };
}

function refusersOf({ refused }: Receipt): string[] {
  return refused.filter(({ isDeadLettered }) => !isDeadLettered).map(({ queue }) => queue);
}

function lineTo(to: readonly string[], why: WhyDead): string {
  return lineOf('dead-letter', JSON.stringify({ ...why, to }));
}
