import { LeaseLostError, pause } from '@millrace/core';
import { asOutage } from '@millrace/redis';
import { ConsumerShard, type ShardOwner } from './consumer-shard.js';

/**
 * The parts of a consumer, one for each slot of its queue. A queue that is deleted and declared again may have other slots than
 * before; the consumer follows it there.
 */
export class ConsumerShards {
  readonly #owner: ShardOwner;
  readonly #queue: string;
  #all: readonly ConsumerShard[] = [];
  #slots: readonly string[] = [];
  #moving: Promise<void> | undefined;
  readonly #closing = new AbortController();

  constructor(owner: ShardOwner, queue: string) {
    this.#owner = owner;
    this.#queue = queue;
  }

  get all(): readonly ConsumerShard[] {
    return this.#all;
  }

  /** The part from which a message came; undefined when its queue has other slots now. */
  at(index: number): ConsumerShard | undefined {
    return this.#all[index];
  }

  /** May be called again when it failed. */
  async start(): Promise<void> {
    if (this.#all.length === 0) {
      const slots = await this.#owner.host.slotsOf(this.#queue).catch((error: unknown) => {
        throw asOutage(`start a consumer of queue "${this.#queue}"`, error);
      });
      this.#make(slots);
    }
    await Promise.all(this.#all.map((part) => part.start()));
  }

  /** Takes nothing more from here on, and follows its queue nowhere. */
  close(): void {
    this.#closing.abort();
    for (const part of this.#all) part.close();
  }

  /** Resolves when it is not on its way to other slots. */
  async arrived(): Promise<void> {
    await this.#moving;
  }

  /** Goes where the queue is now. Resolves to whether that is elsewhere: then the parts that there were are over. */
  async follow(): Promise<boolean> {
    const slots = await this.#owner.host.slotsOf(this.#queue);
    if (this.#closing.signal.aborted || slots.join() === this.#slots.join()) return false;
    this.#moving ??= this.#move(slots).finally(() => {
      this.#moving = undefined;
    });
    return true;
  }

  async #move(slots: readonly string[]): Promise<void> {
    const { signal } = this.#closing;
    let to = slots;
    for (let failures = 0; !signal.aborted; failures++) {
      for (const part of this.#all) this.#retire(part);
      this.#make(to);
      try {
        await Promise.all(this.#all.map((part) => part.start()));
        return;
      } catch (error) {
        this.#owner.failed(error);
        await pause(Math.min(50 * 2 ** failures, 2000), { ref: false, signal });
        to = await this.#owner.host.slotsOf(this.#queue).catch(() => to);
      }
    }
  }

  #retire(part: ConsumerShard): void {
    part.close();
    part.abandon(
      new LeaseLostError(`queue "${this.#queue}" was deleted and declared again. Stop working on its messages.`),
    );
    const gone = part.leave(() => 0);
    gone.catch((error: unknown) => this.#owner.failed(error));
  }

  #make(slots: readonly string[]): void {
    this.#slots = slots;
    this.#owner.room.clear();
    this.#all = slots.map((slot, index) => new ConsumerShard(this.#owner, slot, { index, count: slots.length }));
  }
}
