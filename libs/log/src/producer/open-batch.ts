import type { Topic } from '../model/topic.js';
import type { AppenderConfig } from './appender-config.js';
import type { PreparedRecord } from './parcel.js';
import { ProducerBatch } from './producer-batch.js';

/** A batch of so many bytes is full: it is worth a trip of its own, and another partition's turn (Kafka's `batch.size`). */
export const fullBytes = 16 * 1024;

/** What a batch is given before it needs it, at most: a producer may have a thousand of them open. */
const maxGuessedBytes = 32 * 1024;

/** What an open batch is a part of. */
interface BatchOwner {
  readonly topicName: string;
  flush(): void;
  /** The batch takes no more records. */
  closed(batch: ProducerBatch): void;
  giveUp(batch: ProducerBatch): void;
}

/** The batch of a partition that still takes records, if there is any. */
export class OpenBatch {
  readonly #config: AppenderConfig;
  readonly #owner: BatchOwner;
  #batch: ProducerBatch | undefined;
  /** Of the last one. */
  #lastBytes = 0;
  /** It has waited long enough for more records: it is closed as soon as it can be sent. */
  isDue = false;

  constructor(config: AppenderConfig, owner: BatchOwner) {
    this.#config = config;
    this.#owner = owner;
  }

  /** Bytes of its records. */
  get bytes(): number {
    return this.#batch?.bytes ?? 0;
  }

  get batch(): ProducerBatch | undefined {
    return this.#batch;
  }

  /** Closes it unless so many bytes more go into it. */
  makeRoom(bytes: number): void {
    if (this.bytes + bytes > this.#config.options.maxBatchBytes) this.close();
  }

  /** @param expectedBytes of this record and those that come with it */
  add(record: PreparedRecord, expectedBytes: number, now: number, deadline: number): void {
    // A batch that cannot be sent for a while stops taking records: they would have to share its short deadline.
    const isOld =
      this.#batch !== undefined && now - this.#batch.createdAt > this.#config.options.deliveryTimeoutMs / 10;
    // A batch says once how its values are encoded, so it is for one topic, not only for one name.
    const isOther = this.#batch !== undefined && this.#batch.topic.id !== record.topic.id;
    if (isOld || isOther) this.close();
    else this.makeRoom(record.bytes);
    this.#batch ??= this.#begin(record.topic, expectedBytes, now, deadline);
    this.#batch.add(record);
  }

  /**
   * Closes it when it has waited long enough; and, unless the producer lingers, when it is full and Redis `isIdle`, which
   * then appends it while the next records are encoded.
   */
  closeIfReady(isIdle: boolean): void {
    const isFull = isIdle && this.bytes >= fullBytes && this.#config.options.lingerMs === 0;
    if (isFull || this.isDue) this.close();
  }

  close(): void {
    const batch = this.take();
    if (batch !== undefined) this.#owner.closed(batch);
  }

  /** The batch, which is open no more, whatever becomes of it. */
  take(): ProducerBatch | undefined {
    const batch = this.#batch;
    if (batch !== undefined) this.#lastBytes = batch.bytes;
    this.#batch = undefined;
    this.isDue = false;
    return batch;
  }

  #begin(topic: Topic, expectedBytes: number, now: number, deadline: number): ProducerBatch {
    const { options, onSettled, onBegun } = this.#config;
    // What came last is likely to come again: a frame that grows is copied, and each of its buffers is garbage.
    const bytes = Math.max(512 + expectedBytes, Math.min(this.#lastBytes, maxGuessedBytes));
    const batch = new ProducerBatch(topic, now, Math.min(options.maxBatchBytes, bytes), onSettled);
    batch.expireAfter(Math.max(1, deadline - now), (late) => this.#owner.giveUp(late));
    onBegun(this.#owner);
    return batch;
  }
}
