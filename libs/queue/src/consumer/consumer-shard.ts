import { type Fifo, LeaseLostError } from '@millrace/core';
import type { HandlerLabels } from '@millrace/delivery';
import type { BufferShares } from '../handling/buffer-shares.js';
import type { MessageBuffer } from '../handling/message-buffer.js';
import { MessageCancelledError } from '../handling/message-cancelled.js';
import { Settler } from '../handling/settler.js';
import { ShardOrigin } from '../handling/shard-origin.js';
import { ShardSession } from '../session/shard-session.js';
import type { Heartbeat } from '../store/heartbeat.js';
import type { Taken } from '../store/taken.js';
import { ShardTurns } from '../turns/shard-turns.js';
import type { TurnContext } from '../turns/turn-context.js';
import type { ConsumerContext } from './consumer-context.js';
import type { ConsumerOptions } from './consumer-options.js';
import type { ConsumerReport } from './consumer-report.js';

/** What the parts of a consumer share. */
export interface ShardOwner {
  readonly host: ConsumerContext;
  readonly options: ConsumerOptions;
  readonly labels: HandlerLabels;
  readonly hold: MessageBuffer;
  readonly room: BufferShares;
  readonly report: ConsumerReport;
  /** Gives back what waits behind handlers that turned slow. */
  giveBackStale(): void;
  /** The queue may be elsewhere: resolves to whether it is, and this part is over. */
  follow(): Promise<boolean>;
  /** A turn of this part is over: there may be room for others. */
  shardServed(part: ConsumerShard): void;
  failed(error: unknown): void;
}

/** A consumer at one slot of its queue: its lease there, its turns, and the wake list at which it waits. */
export class ConsumerShard implements TurnContext {
  readonly turns: ShardTurns;
  readonly settling: Settler;
  readonly session: ShardSession;
  readonly #slot: ShardOrigin;
  readonly #slotName: string;
  readonly #owner: ShardOwner;
  #isStopping = false;

  /** @param place which of how many slots */
  constructor(owner: ShardOwner, slotName: string, place: { readonly index: number; readonly count: number }) {
    const { host, options, report } = owner;
    const { connection } = host;
    this.#owner = owner;
    this.#slotName = slotName;
    this.session = new ShardSession(
      connection,
      options,
      slotName,
      {
        isWaiting: () => this.#isWaiting,
        isAtRest: () => this.#isWaiting && this.held() === 0,
      },
      {
        registered: (keys) => this.turns.begin(keys),
        lost: () => this.#lost(),
        woken: (wakeUp) => this.turns.woken(wakeUp),
        beaten: (heartbeat) => this.#beaten(heartbeat),
        followQueue: () => owner.follow(),
        failed: (error) => owner.failed(error),
      },
    );
    this.turns = new ShardTurns(connection, this, report);
    this.settling = new Settler(this.turns, host, options, this.session);
    this.#slot = new ShardOrigin(place, {
      connection,
      queue: options.queue,
      hold: owner.hold,
      session: this.session,
    });
    owner.room.join(this.turns);
  }

  /** Its place among the parts. */
  get index(): number {
    return this.#slot.index;
  }

  get leaseMs(): number {
    return this.#owner.options.leaseMs;
  }

  /** May be called again when it failed. */
  start(): Promise<void> {
    return this.session.start(`${this.#owner.labels.handler}:wake`);
  }

  /** Takes nothing more from here on. */
  close(): void {
    this.#isStopping = true;
    this.session.close();
  }

  /** Settles what is still to be settled, and leaves; over by the deadline at the latest. */
  async leave(leftMs: () => number): Promise<void> {
    await this.turns.flush(leftMs());
    this.turns.end();
    await this.session.leave(leftMs);
  }

  wanted(): number {
    return this.#owner.room.for(this.turns);
  }

  maxBytes(): number | undefined {
    return this.#owner.hold.budget.maxBytes;
  }

  get mayAskAhead(): boolean {
    return this.#slot.isOnly && this.#owner.hold.budget.mayAskAhead;
  }

  portion(): number {
    return this.#owner.hold.budget.portion;
  }

  take(messages: Fifo<Taken>): void {
    this.#owner.report.delivered(messages);
    this.#owner.room.served(this.turns);
    // A turn that ended after the stop began: what it brought goes back, the first one last.
    if (this.#isStopping) for (const message of messages.take(messages.size).reverse()) this.#refuse(message);
    else this.#owner.hold.add(this.#slot, messages);
  }

  #refuse({ id, frame }: Taken): void {
    this.turns.judge({ kind: 'release', id, priority: frame[1] ?? 0 });
  }

  turnEnded(isAlone: boolean, sentAt: number): void {
    const { isHungry, state } = this.turns;
    this.session.turned(isAlone, sentAt);
    if (isHungry || state !== 'ok') this.session.waitForWakeUp(state === 'passed' ? 5 : 0);
    if (!this.#slot.isOnly) this.#owner.shardServed(this);
  }

  begin(): void {
    this.#owner.hold.begin();
  }

  heldIds(): Set<string> {
    return new Set(this.#owner.hold.allFrom(this.#slot).map(({ id }) => id));
  }

  held(): number {
    return this.#owner.hold.countFrom(this.#slot);
  }

  /** Its heartbeats see to it that they are carried on until they are elsewhere. */
  died(): void {
    this.session.stayAwake();
    this.#owner.host.carryDeadLetters(this.#slotName);
  }

  lostMessages(ids: readonly string[]): void {
    const { host, hold, labels } = this.#owner;
    host.events.emit('lease-lost', { source: labels.source });
    const reason = new LeaseLostError(
      `messages ${ids.slice(0, 5).join(', ')} of queue "${this.#slot.queue}" are not ours.`,
    );
    for (const held of hold.forget(ids.map((id) => this.#slot.keyOf(id)))) held.abandon(reason);
    this.failed(reason);
  }

  lostLease(): void {
    this.session.lost();
  }

  #lost(): void {
    const { host, labels } = this.#owner;
    this.turns.suspend();
    this.abandon(
      new LeaseLostError(`the lease on messages of queue "${this.#slot.queue}" is lost. Stop working on them.`),
    );
    host.events.emit('lease-lost', { source: labels.source });
  }

  /** What it holds is not its own any more. */
  abandon(reason: LeaseLostError): void {
    for (const held of this.#owner.hold.clear(this.#slot)) held.abandon(reason);
  }

  get #isWaiting(): boolean {
    return this.turns.isHungry && this.#owner.hold.isOpen;
  }

  #beaten({ hasWork, held, cancelled, duty }: Heartbeat): void {
    const { hold, labels } = this.#owner;
    for (const id of cancelled) {
      const waiting = hold.cancel(this.#slot.keyOf(id), new MessageCancelledError(this.#slot.queue, id));
      if (waiting !== undefined) this.settling.settle(waiting, { kind: 'drop', reason: 'cancelled' }, labels);
    }
    this.#owner.giveBackStale();
    this.turns.compare(held);
    if (hasWork) this.turns.look();
    if (duty !== undefined && duty.dying > 0) this.died();
  }

  failed(error: unknown): void {
    this.#owner.failed(error);
  }
}
