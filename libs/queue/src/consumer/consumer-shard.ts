import { endsWithin, type Fifo, LeaseLostError } from '@millrace/core';
import type { HandlerLabels } from '@millrace/delivery';
import type { BufferShares } from '../handling/buffer-shares.js';
import type { MessageBuffer } from '../handling/message-buffer.js';
import { MessageCancelledError } from '../handling/message-cancelled.js';
import { Settler } from '../handling/settler.js';
import { ShardOrigin } from '../handling/shard-origin.js';
import { HeartbeatLoop } from '../session/heartbeat-loop.js';
import { Registration } from '../session/registration.js';
import { WakeListener } from '../session/wake-listener.js';
import type { ConsumerKeys } from '../store/consumer-keys.js';
import type { Heartbeat } from '../store/heartbeat.js';
import { queueKeys } from '../store/keys.js';
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
  readonly membership: Registration;
  readonly #slot: ShardOrigin;
  readonly #slotName: string;
  readonly #owner: ShardOwner;
  readonly #heart: HeartbeatLoop;
  readonly #wake: WakeListener;
  #isStopping = false;

  /** @param place which of how many slots */
  constructor(owner: ShardOwner, slotName: string, place: { readonly index: number; readonly count: number }) {
    const { host, options, report } = owner;
    const { connection } = host;
    this.#owner = owner;
    this.#slotName = slotName;
    this.membership = new Registration(connection, options, slotName, this, () => this.#heart.introduce());
    this.turns = new ShardTurns(connection, this, report);
    this.settling = new Settler(this.turns, host, options, this.membership);
    this.#wake = new WakeListener(connection, queueKeys(connection.prefix, slotName).wake, (wakeUp) =>
      this.turns.woken(wakeUp),
    );
    this.#heart = new HeartbeatLoop(connection, { queue: slotName, leaseMs: options.leaseMs }, this);
    this.#slot = new ShardOrigin(place, {
      connection,
      queue: options.queue,
      hold: owner.hold,
      membership: this.membership,
      isLeaseCertain: () => this.#heart.isCertain,
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
  async start(): Promise<void> {
    await this.#wake.begin(`${this.#owner.labels.handler}:wake`, () => this.#heart.connectionChanged());
    if (this.membership.keys === undefined) await this.membership.join();
    await this.#heart.begin();
  }

  /** Takes nothing more from here on. */
  close(): void {
    this.#isStopping = true;
    this.membership.close();
    this.#wake.end();
  }

  /** Settles what is still to be settled, and leaves; over by the deadline at the latest. */
  async leave(leftMs: () => number): Promise<void> {
    await this.turns.flush(leftMs());
    this.turns.end();
    const left = this.membership.leave().catch((error: unknown) => this.failed(error));
    await endsWithin(left, leftMs(), { ref: false });
  }

  async end(leftMs: () => number): Promise<void> {
    await endsWithin(this.#heart.end(), leftMs(), { ref: false });
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
    this.#heart.renewed(isAlone, sentAt);
    if (isHungry || state !== 'ok') this.#wake.wait(state === 'passed' ? 5 : 0);
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

  /** Its heart sees to it that they are carried on until they are elsewhere. */
  died(): void {
    this.#heart.worry();
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
    if (!this.membership.lost()) return;
    const { host, labels } = this.#owner;
    this.turns.suspend();
    this.abandon(
      new LeaseLostError(`the lease on messages of queue "${this.#slot.queue}" is lost. Stop working on them.`),
    );
    host.events.emit('lease-lost', { source: labels.source });
    void this.membership.rejoin();
  }

  /** What it holds is not its own any more. */
  abandon(reason: LeaseLostError): void {
    for (const held of this.#owner.hold.clear(this.#slot)) held.abandon(reason);
  }

  follow(): Promise<boolean> {
    return this.#owner.follow();
  }

  keys(): ConsumerKeys | undefined {
    return this.membership.keys;
  }

  joined(keys: ConsumerKeys): void {
    this.turns.begin(keys);
    this.#heart.now();
  }

  describe(connections: readonly number[], server: string): string {
    return JSON.stringify(this.membership.about(connections, server));
  }

  isWaiting(): boolean {
    return this.turns.isHungry && this.#owner.hold.isOpen;
  }

  isAtRest(): boolean {
    return this.isWaiting() && this.held() === 0;
  }

  wakeClient(): WakeListener['client'] {
    return this.#wake.client;
  }

  beaten({ hasWork, held, cancelled, duty }: Heartbeat): void {
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
