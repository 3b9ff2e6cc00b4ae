import { CodecError, deadLettersOf, keepsDeadLetters, maxNameBytes, TopologyNotFoundError } from '@millrace/core';
import type { Events } from '@millrace/delivery';
import type { Carriage, FollowUp, LineOrigin } from '../endings/follow-up.js';
import { asDeadLetter, deadLetterTarget, isCycle, parseWhyDead, type WhyDead } from '../model/dead-letter.js';
import { entryAfter, entryInLife } from '../model/entry.js';
import { type Line, lineOf } from '../model/line.js';
import { decodeFrame, type FrameInput, type StoredMessage } from '../model/message-frame.js';
import type { DeadLetterTarget } from '../model/queue-settings.js';
import type { Receipt } from '../model/receipt.js';
import { isRequest } from '../model/reply-target.js';
import type { Router } from '../model/routing.js';
import { queueOf } from '../model/shards.js';
import type { ForwardedMessage, Forwarder } from '../publishing/forwarder.js';
import type { LineResult } from '../store/ended.js';

/** What it must know of the topology. */
export interface DeadLetterRoutes {
  /** As this process knows it; undefined before it was read. */
  known(): Pick<Router, 'route'> | undefined;
  /** As it is now. */
  reload(): Promise<Pick<Router, 'route'>>;
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
  /** Queues that are being declared: all letters that wait for one go on in their order. */
  readonly #declaring = new Map<string, Promise<unknown>>();
  /** The line that was read last: what expires together has the same. */
  #last: { readonly data: string; readonly why: WhyDead } = { data: '', why: parseWhyDead('') };

  constructor(forwarder: Forwarder, routes: DeadLetterRoutes, events: Events) {
    this.#forwarder = forwarder;
    this.#routes = routes;
    this.#events = events;
  }

  async carry(line: Line, origin: LineOrigin): Promise<Carriage> {
    const queue = queueOf(origin.slot);
    const why = this.#whyOf(line);
    const message = messageOf(line, queue);
    // Bytes that are not a message cannot go through an exchange.
    if (message === undefined) return carried({ kind: 'parked' });
    // No requester waits any longer for the reply to an expired request.
    if (why.reason === 'expired' && isRequest(message)) return carried({ kind: 'arrived' });
    const letter = (target: DeadLetterTarget): ForwardedMessage => ({
      entry: entryAfter(origin.slot, line.entry),
      message: asDeadLetter(message, queue, why, target),
      line: { source: origin.slot, number: line.number, floor: origin.floor },
    });
    const declared = letter(deadLetterTarget(origin.settings));
    if (why.to !== undefined) return { result: this.#bring(declared, why.to, why) };
    const keep = (): Promise<Carriage> => this.#keep(letter, queue, why);
    if (!this.#isReached(declared.message) && !isReached(await this.#routes.reload(), declared.message)) return keep();
    const receipt = this.#forward(declared);
    return {
      result: receipt.then((found) => (isTaken(found) ? resultOf(found, why) : keep().then(({ result }) => result))),
    };
  }

  /** Keeps a letter that has no other place. */
  async #keep(letter: (target: DeadLetterTarget) => ForwardedMessage, queue: string, why: WhyDead): Promise<Carriage> {
    if (keepsDeadLetters(queue)) return carried({ kind: 'parked' });
    const place = deadLettersOf(queue);
    const declaring =
      this.#declaring.get(place) ??
      this.#routes.declareQueue(place).finally(() => {
        this.#declaring.delete(place);
      });
    this.#declaring.set(place, declaring);
    await declaring;
    const kept = this.#forwarder.forward({ ...letter({ exchange: '', routingKey: place }), toQueue: place });
    return { result: kept.then((receipt) => resultOf(receipt, why)) };
  }

  /** By what this process knows. What is wrong there may have been put right meanwhile. */
  #isReached(dead: FrameInput): boolean {
    try {
      const known = this.#routes.known();
      return known !== undefined && isReached(known, dead);
    } catch {
      return false;
    }
  }

  #whyOf({ data }: Line): WhyDead {
    if (this.#last.data !== data) this.#last = { data, why: parseWhyDead(data) };
    return this.#last.why;
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

function carried(result: LineResult): Carriage {
  return { result: Promise.resolve(result) };
}

/** Whether the target exists, and the message has not just come from there. */
function isReached(router: Pick<Router, 'route'>, dead: FrameInput): boolean {
  const { exchange, routingKey, headers, deaths = [] } = dead;
  try {
    const { queues, topics } = router.route(exchange, { routingKey, headers });
    return queues.length + topics.length > 0 && !queues.some((destination) => isCycle(deaths, destination));
  } catch (error) {
    if (error instanceof TopologyNotFoundError) return false;
    throw error;
  }
}

function isTaken(receipt: Receipt | undefined): receipt is Receipt {
  return receipt !== undefined && !receipt.isUnroutable;
}

function resultOf(receipt: Receipt, why: WhyDead): LineResult {
  const to = refusersOf(receipt);
  if (to.length === 0) return { kind: 'arrived' };
  const isTakenBySome = receipt.queues.length + receipt.topics.length + receipt.refused.length > to.length;
  return { kind: 'refused', line: isTakenBySome ? lineTo(to, why) : undefined };
}

function refusersOf({ refused }: Receipt): string[] {
  return refused.filter(({ isDeadLettered }) => !isDeadLettered).map(({ queue }) => queue);
}

function lineTo(to: readonly string[], why: WhyDead): string {
  return lineOf('dead-letter', JSON.stringify({ ...why, to }));
}
