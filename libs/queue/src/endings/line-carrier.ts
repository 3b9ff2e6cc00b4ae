import type { Events } from '@millrace/delivery';
import type { RedisConnection } from '@millrace/redis';
import type { FollowUpKind, Line } from '../model/line.js';
import { queueOf } from '../model/shards.js';
import { type LineResult, linesCarried, nextLines } from '../store/ended.js';
import { queueKeys } from '../store/keys.js';
import { queueSettings } from '../store/queue-slot.js';
import type { FollowUp, LineOrigin } from './follow-up.js';

/** How many pieces of lines may be on their way, or their results be stored, while the next one is prepared. */
const maxUnderWay = 2;

/**
 * Carries what follows from the endings of messages to its target. The script that ends a message can only write a line in its own slot,
 * since the target may be on another server. A piece of lines is read, each is carried, and then the results are written to the slot:
 * a line is removed when it is done, so after a crash in between another consumer or Broker finds it and continues.
 *
 * Lines are carried in the order of the endings. One that was refused goes to the end, so that it does not block the others.
 */
export class LineCarrier {
  readonly #connection: RedisConnection;
  readonly #followUps: ReadonlyMap<string, FollowUp>;
  readonly #events: Events;
  readonly #running = new Map<string, Promise<void>>();
  readonly #again = new Set<string>();

  constructor(connection: RedisConnection, followUps: Readonly<Record<FollowUpKind, FollowUp>>, events: Events) {
    this.#connection = connection;
    this.#followUps = new Map(Object.entries(followUps));
    this.#events = events;
  }

  /** Carries all lines of a slot. A call during a run makes it look once more at the end. */
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

  /** Lines are read and prepared while the results of those before them are under way. */
  async #carryAll(slot: string): Promise<void> {
    const { commands, prefix } = this.#connection;
    const keys = queueKeys(prefix, slot);
    const settings = await queueSettings(commands, keys, slot);
    if (settings === undefined) return;
    const underWay: Promise<boolean>[] = [];
    try {
      let piece = await nextLines(commands, keys, undefined);
      while (piece !== undefined) {
        const { lines, floor } = piece;
        const next = nextLines(commands, keys, lines.at(-1)?.number);
        next.catch(() => undefined);
        const { ended } = await this.#carryPiece(lines, { slot, settings, floor }, underWay.at(-1));
        ended.catch(() => undefined);
        underWay.push(ended);
        if (underWay.length >= maxUnderWay && !(await underWay.shift())) break;
        piece = await next;
      }
      await Promise.all(underWay);
    } finally {
      await Promise.allSettled(underWay);
    }
  }

  /**
   * Carries some lines. Resolves when all are on their way; `ended`, when their results are stored, to whether there may be more to carry
   * now: refused ones are left for the next look.
   */
  async #carryPiece(
    lines: readonly Line[],
    origin: LineOrigin,
    before: Promise<unknown> | undefined,
  ): Promise<{ readonly ended: Promise<boolean> }> {
    const results = new Map<Line, LineResult>();
    const failures: unknown[] = [];
    const failed = (error: unknown): void => void failures.push(error);
    const carriages: Promise<void>[] = [];
    const carry = async (line: Line): Promise<void> => {
      const carriage = await this.#followUpOf(line)?.carry(line, origin);
      if (carriage !== undefined)
        carriages.push(carriage.result.then((result) => void results.set(line, result), failed));
    };
    await Promise.all(lines.map((line) => carry(line).catch(failed)));
    const store = async (): Promise<boolean> => {
      await Promise.all(carriages);
      // Refused lines keep their order.
      await before?.catch(() => undefined);
      const { commands, prefix } = this.#connection;
      const heard = await linesCarried(commands, queueKeys(prefix, origin.slot), inOrder(lines, results));
      this.#report(heard, results, origin);
      if (failures.length > 0) throw failures[0];
      return heard.some((line) => results.get(line)?.kind !== 'refused');
    };
    return { ended: store() };
  }

  #report(heard: readonly Line[], results: ReadonlyMap<Line, LineResult>, origin: LineOrigin): void {
    for (const line of heard) {
      const kind = results.get(line)?.kind;
      if (kind === 'arrived' || kind === 'parked') this.#followUpOf(line)?.[kind](line, origin);
    }
  }

  /**
   * Undefined for the line of a newer process, which carries it itself. Bytes that are not a line count as a dead letter: they are never
   * lost.
   */
  #followUpOf({ kind }: Line): FollowUp | undefined {
    return this.#followUps.get(kind === '' ? ('dead-letter' satisfies FollowUpKind) : kind);
  }
}

/** Refused lines keep their order. */
function inOrder(lines: readonly Line[], results: ReadonlyMap<Line, LineResult>): Map<Line, LineResult> {
  return new Map(
    lines.flatMap((line) => {
      const result = results.get(line);
      return result === undefined ? [] : [[line, result] as const];
    }),
  );
}
