import { LeaseLostError, pause } from '@millrace/core';
import { ConsumerShard, type ShardContext, type ShardListener } from './consumer-shard.js';

/**
 * A consumer at all shards of its queue. A queue that is deleted and declared again may have other shards than before; the consumer
 * then moves to them.
 */
export class ConsumerShards {
  readonly #context: ShardContext;
  readonly #listener: ShardListener;
  readonly #queue: string;
  #all: readonly ConsumerShard[] = [];
  #names: readonly string[] = [];
  #moving: Promise<void> | undefined;
  readonly #closing = new AbortController();

  /** @param failed reports an error in the background */
  constructor(context: ShardContext, failed: (error: unknown) => void) {
    this.#context = context;
    this.#queue = context.options.queue;
    this.#listener = {
      served: (shard) => this.#served(shard),
      followQueue: () => this.#follow(),
      failed,
    };
  }

  get all(): readonly ConsumerShard[] {
    return this.#all;
  }

  /** May be called again after a failure. */
  async start(): Promise<void> {
    if (this.#all.length === 0) {
      this.#make(await this.#context.host.slotsOf(this.#queue));
    }
    await Promise.all(this.#all.map((shard) => shard.start()));
  }

  /** Makes every shard take a turn. */
  nudge(): void {
    for (const { turns } of this.#all) turns.nudge();
  }

  /** There is room again: makes the other shards that may have messages take a turn. */
  nudgeOthers(index: number): void {
    if (this.#all.length === 1) return;
    for (const shard of this.#all) if (shard.index !== index && shard.turns.mayHaveMore) shard.turns.nudge();
  }

  /** Takes nothing more, and no longer follows its queue. */
  close(): void {
    this.#closing.abort();
    for (const shard of this.#all) shard.close();
  }

  /** Resolves when no move to other shards is under way. */
  async arrived(): Promise<void> {
    await this.#moving;
  }

  #served(shard: ConsumerShard): void {
    // A shard that may have more continues by itself, unless what is left is for others: one of them may not know that there is room.
    const isOthersTurn = shard.wanted() === 0 && this.#context.shares.isLeft;
    if (!shard.turns.mayHaveMore || isOthersTurn) this.nudgeOthers(shard.index);
  }

  /** Moves to the queue's present shards. Resolves to whether they are others: then the previous shards are over. */
  async #follow(): Promise<boolean> {
    const names = await this.#context.host.slotsOf(this.#queue);
    if (this.#closing.signal.aborted || names.join() === this.#names.join()) return false;
    this.#moving ??= this.#move(names).finally(() => {
      this.#moving = undefined;
    });
    return true;
  }

  async #move(names: readonly string[]): Promise<void> {
    const { signal } = this.#closing;
    let to = names;
    for (let failures = 0; !signal.aborted; failures++) {
      for (const shard of this.#all) this.#retire(shard);
      this.#make(to);
      try {
        await Promise.all(this.#all.map((shard) => shard.start()));
        return;
      } catch (error) {
        this.#listener.failed(error);
        await pause(Math.min(50 * 2 ** failures, 2000), { ref: false, signal });
        to = await this.#context.host.slotsOf(this.#queue).catch(() => to);
      }
    }
  }

  #retire(shard: ConsumerShard): void {
    shard.close();
    shard.abandon(
      new LeaseLostError(`queue "${this.#queue}" was deleted and declared again. Stop working on its messages.`),
    );
    shard.leave(() => 0).catch((error: unknown) => this.#listener.failed(error));
  }

  #make(names: readonly string[]): void {
    this.#names = names;
    this.#context.shares.clear();
    const count = names.length;
    this.#all = names.map((name, index) => new ConsumerShard(this.#context, name, { index, count }, this.#listener));
  }
}
