import { LeaseLostError } from '@millrace/core';
import type { HandlerLabels } from '@millrace/delivery';
import type { BufferShares } from '../handling/buffer-shares.js';
import type { Dispatcher } from '../handling/dispatcher.js';
import type { HeldMessage } from '../handling/held-message.js';
import type { MessageBuffer } from '../handling/message-buffer.js';
import { MessageCancelledError } from '../handling/message-cancelled.js';
import type { Settler } from '../handling/settler.js';
import { ShardBuffer } from '../handling/shard-buffer.js';
import { ShardOrigin } from '../handling/shard-origin.js';
import { ShardSession } from '../session/shard-session.js';
import type { Heartbeat } from '../store/heartbeat.js';
import { Outbox } from '../turns/outbox.js';
import { ShardTurns } from '../turns/shard-turns.js';
import type { ConsumerContext } from './consumer-context.js';
import type { ConsumerOptions } from './consumer-options.js';
import type { ConsumerReport } from './consumer-report.js';

/** What the shards of a consumer share. */
export interface ShardContext {
  readonly host: ConsumerContext;
  readonly options: ConsumerOptions;
  readonly labels: HandlerLabels;
  readonly buffer: MessageBuffer;
  readonly dispatcher: Dispatcher;
  readonly settler: Settler;
  readonly shares: BufferShares;
  readonly report: ConsumerReport;
}

export interface ShardListener {
  /** A turn of this shard is over: there may be room for others. */
  served(shard: ConsumerShard): void;
  /** The queue may have been deleted and declared again with other shards: resolves to whether this shard is over. */
  followQueue(): Promise<boolean>;
  failed(error: unknown): void;
}

/**
 * A consumer at one shard of its queue. It connects a session, turns and a buffer, and decides what an event of one
 * means for the others: what is lost with a lease, what a heartbeat finds, when to wait for a wake-up.
 */
export class ConsumerShard {
  readonly session: ShardSession;
  readonly turns: ShardTurns;
  /** How many more messages it may take now. */
  readonly wanted: () => number;
  readonly #name: string;
  readonly #context: ShardContext;
  readonly #listener: ShardListener;
  readonly #origin: ShardOrigin;
  readonly #buffer: ShardBuffer;

  /**
   * @param name of the shard's own queue
   * @param place which of how many shards
   */
  constructor(
    context: ShardContext,
    name: string,
    place: { readonly index: number; readonly count: number },
    listener: ShardListener,
  ) {
    const { host, options, buffer, dispatcher, report } = context;
    const { connection } = host;
    this.#name = name;
    this.#context = context;
    this.#listener = listener;
    const outbox = new Outbox();
    const share = context.shares.add({ mayHaveMore: () => this.turns.mayHaveMore, asked: () => this.turns.asked });
    const failed = (error: unknown): void => listener.failed(error);
    this.session = new ShardSession(
      connection,
      options,
      name,
      {
        isWaiting: () => this.#isWaiting,
        isAtRest: () => this.#isWaiting && this.#buffer.count === 0,
      },
      {
        registered: (keys) => {
          report.started();
          this.turns.begin(keys);
        },
        lost: () => this.#lost(),
        woken: (wakeUp) => this.turns.woken(wakeUp),
        beaten: (heartbeat) => this.#beaten(heartbeat),
        followQueue: () => listener.followQueue(),
        failed,
      },
    );
    this.#origin = new ShardOrigin(place, { connection, queue: options.queue, buffer, outbox, session: this.session });
    this.#buffer = new ShardBuffer({
      origin: this.#origin,
      buffer,
      dispatcher,
      share,
      delivered: (messages) => report.delivered(messages),
    });
    this.wanted = share.wanted;
    this.turns = new ShardTurns({
      connection,
      leaseMs: options.leaseMs,
      buffer: this.#buffer,
      outbox,
      listener: {
        acknowledged: (count) => report.acknowledged(count),
        lostMessages: (ids) => this.#lostMessages(ids),
        turnEnded: (isAlone, sentAt) => this.#turnEnded(isAlone, sentAt),
        died: () => this.#died(),
        lostRegistration: () => this.session.lost(),
        failed,
      },
    });
  }

  /** Its index among the shards of the queue. */
  get index(): number {
    return this.#origin.index;
  }

  /** May be called again after a failure. */
  start(): Promise<void> {
    return this.session.start(`${this.#context.labels.handler}:wake`);
  }

  /** Handles no more wake-ups. */
  close(): void {
    this.session.close();
  }

  /** Sends the remaining settlements, and leaves, by the deadline at the latest. */
  async leave(leftMs: () => number): Promise<void> {
    this.#buffer.close();
    await this.turns.flush(leftMs());
    this.turns.end();
    this.#context.report.stopped();
    await this.session.leave(leftMs);
  }

  /** It no longer owns the messages it holds. */
  abandon(reason: LeaseLostError): void {
    this.#abandon((held) => held.origin === this.#origin, reason);
  }

  #abandon(isLost: (held: HeldMessage) => boolean, reason: LeaseLostError): void {
    for (const held of this.#context.buffer.takeAll(isLost)) held.abandon(reason);
  }

  #turnEnded(isAlone: boolean, sentAt: number): void {
    const { isIdle, state } = this.turns.outlook;
    this.session.turned(isAlone, sentAt);
    if (isIdle || state !== 'ok') this.session.waitForWakeUp(state === 'passed' ? 5 : 0);
    if (!this.#origin.isOnly) this.#listener.served(this);
  }

  /** Its heartbeats make sure that the lines are carried until they have arrived. */
  #died(): void {
    this.session.stayAwake();
    this.#context.host.carryLines(this.#name);
  }

  #lostMessages(ids: readonly string[]): void {
    const { queue } = this.#origin;
    this.#emitLeaseLost();
    const reason = new LeaseLostError(
      `messages ${ids.slice(0, 5).join(', ')} of queue "${queue}" do not belong to this consumer.`,
    );
    const keys = ids.map((id) => this.#origin.keyOf(id));
    this.#abandon(({ key }) => keys.includes(key), reason);
    this.#listener.failed(reason);
  }

  #lost(): void {
    const { queue } = this.#origin;
    this.turns.suspend();
    this.abandon(new LeaseLostError(`the lease on messages of queue "${queue}" is lost. Stop working on them.`));
    this.#emitLeaseLost();
  }

  #emitLeaseLost(): void {
    const { host, labels } = this.#context;
    host.events.emit('lease-lost', { source: labels.source });
  }

  get #isWaiting(): boolean {
    return this.turns.outlook.isIdle && this.#context.buffer.isOpen;
  }

  #beaten({ hasWork, held, cancelled, duty }: Heartbeat): void {
    const { buffer, settler } = this.#context;
    for (const id of cancelled) {
      const waiting = buffer.cancel(this.#origin.keyOf(id), new MessageCancelledError(this.#origin.queue, id));
      if (waiting !== undefined) settler.drop(waiting);
    }
    // What a turn under way brings is in the queue behind what is given back here.
    if (this.turns.asked === 0) settler.giveBack(buffer.takeStale(performance.now()));
    this.turns.compare(held);
    if (hasWork) this.turns.look();
    if (duty !== undefined && duty.ended > 0) this.#died();
  }
}
