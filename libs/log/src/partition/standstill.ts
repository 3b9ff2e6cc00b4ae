import { CodecError } from '@millrace/core';
import type { Events } from '@millrace/delivery';
import type { TopicPartition } from '../model/topic-partition.js';

/** How often a batch that cannot be read is tried again: retention may have removed it. */
const lookAgainMs = 1000;

/** Where a partition stops: only a newer process can read its next batch. */
export class Standstill {
  readonly #place: TopicPartition & { readonly group: string };
  readonly #events: Events;
  #at: { readonly offset: number; readonly why: string } | undefined;
  #lookAgainAt = 0;

  constructor(place: TopicPartition & { readonly group: string }, events: Events) {
    this.#place = place;
    this.#events = events;
  }

  /** Why it is stopped; undefined when it is not. */
  get why(): string | undefined {
    return this.#at?.why;
  }

  /** Whether reading has to wait. */
  get isThere(): boolean {
    return this.#at !== undefined && performance.now() < this.#lookAgainAt;
  }

  /** The batch at `offset` cannot be read. */
  meet(offset: number, why: string): void {
    const isNew = this.#at?.offset !== offset;
    this.#at = { offset, why };
    this.#lookAgainAt = performance.now() + lookAgainMs;
    if (!isNew) return;
    const { topic, partition, group } = this.#place;
    const error = new CodecError(
      `topic "${topic}", partition ${partition}: the record batch at offset ${offset} ${why}`,
    );
    this.#events.emit('batch-unreadable', { topic, partition, group, offset, error });
  }

  forget(): void {
    this.#at = undefined;
  }
}
