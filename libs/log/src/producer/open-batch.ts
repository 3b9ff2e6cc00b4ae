import type { Topic } from '../model/topic.js';
import type { AppenderConfig } from './appender-config.js';
import type { PreparedRecord } from './pending-send.js';
import { ProducerBatch } from './producer-batch.js';

/** A batch of this size is full: it is worth a round trip, and the next partition gets its turn (Kafka's `batch.size`). */
export const fullBytes = 16 * 1024;

/** The most memory that a batch gets in advance: a producer may have a thousand of them open. */
const maxGuessedBytes = 32 * 1024;

/** The owner of an open batch. */
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
  /** Size of the last batch. */
  #lastBytes = 0;
  /** It has lingered: it is closed as soon as it can be sent. */
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

  /** Closes it unless this many more bytes fit into it. */
  makeRoom(bytes: number): void {
    if (this.bytes + bytes > this.#config.options.maxBatchBytes) this.close();
  }

  /** @param expectedBytes of this record and those that follow in the same call */
  add(record: PreparedRecord, expectedBytes: number, now: number, deadline: number): void {
    // A batch that cannot be sent for a while stops taking records: they would have to share its short deadline.
    const isOld =
      this.#batch !== undefined && now - this.#batch.createdAt > this.#config.options.deliveryTimeoutMs / 10;
    // A batch declares the encoding of its values once, so it belongs to one topic, not only to one name.
    const isOther = this.#batch !== undefined && this.#batch.topic.id !== record.topic.id;
    if (isOld || isOther) this.close();
    else this.makeRoom(record.bytes);
    this.#batch ??= this.#begin(record.topic, expectedBytes, now, deadline);
    this.#batch.add(record);
  }

  /**
   * Closes it when it has lingered; and, unless the producer lingers, when it is full and Redis `isIdle`, which
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

  /** Takes the batch out, which is closed from now on. */
  take(): ProducerBatch | undefined {
    const batch = this.#batch;
    if (batch !== undefined) this.#lastBytes = batch.bytes;
    this.#batch = undefined;
    this.isDue = false;
    return batch;
  }

  #begin(topic: Topic, expectedBytes: number, now: number, deadline: number): ProducerBatch {
    const { options, onSettled, onBegun } = this.#config;
    // The last size is the best guess: a frame that grows is copied, and each of its buffers is garbage.
    const bytes = Math.max(512 + expectedBytes, Math.min(this.#lastBytes, maxGuessedBytes));
    const batch = new ProducerBatch(topic, now, Math.min(options.maxBatchBytes, bytes), onSettled);
    batch.expireAfter(Math.max(1, deadline - now), (late) => this.#owner.giveUp(late));
    onBegun(this.#owner);
    return batch;
  }
}
