import { Fifo, MillraceError, UnavailableError } from '@millrace/core';
import { transmissionOf } from '../model/batch-state.js';
import type { Topic } from '../model/topic.js';
import type { PartitionKeys } from '../store/keys.js';
import { otherCodec, overdue, refuse, writeError } from './append-failure.js';
import { AppendRemedy } from './append-remedy.js';
import { type AppendResult, type RetryReason, resultOfError, resultOfReply, unsent } from './append-result.js';
import type { AppenderConfig } from './appender-config.js';
import { BatchNumbers } from './batch-numbers.js';
import { OpenBatch } from './open-batch.js';
import type { PreparedRecord } from './pending-send.js';
import type { ProducerBatch } from './producer-batch.js';
import { batchesInFlight } from './producer-options.js';
import { TargetTopic } from './target-topic.js';

/**
 * Appends the batches of one producer to one partition, in order, up to five simultaneously.
 *
 *   add → open → (closed) → waiting → in flight → confirmed
 *                              ↑          ↓
 *                              └──── to resend      or given up, from any state, when its delivery timeout has passed
 *
 * When a batch has to be sent again (no connection, Redis full, an earlier one missing) nothing new is sent until all that are
 * in flight have a result too; then they are sent again in order with the same numbers. Redis remembers those
 * numbers, so a batch whose reply was lost is not appended twice.
 */
export class PartitionAppender {
  readonly partition: number;
  readonly keys: PartitionKeys;
  readonly #config: AppenderConfig;
  readonly #maxInFlight: number;
  readonly #topic: TargetTopic;
  readonly #open: OpenBatch;
  // Neither field is ever replaced: see Fifo. And neither is a Set: see ShortLivedMap.
  readonly #waiting = new Fifo<ProducerBatch>();
  readonly #inFlight: ProducerBatch[] = [];
  #toResend: { readonly batch: ProducerBatch; readonly reason: RetryReason }[] = [];
  #isRecovering = false;
  readonly #numbers = new BatchNumbers();
  readonly #remedy: AppendRemedy;

  constructor(config: AppenderConfig, topic: Topic, partition: number, keys: PartitionKeys) {
    this.#config = config;
    this.#topic = new TargetTopic(topic);
    this.partition = partition;
    this.keys = keys;
    this.#maxInFlight = batchesInFlight(config.options);
    this.#open = new OpenBatch(config, this);
    this.#remedy = new AppendRemedy(config, this, this.#topic, this.#numbers);
  }

  get topicName(): string {
    return this.#topic.now.name;
  }

  /** Bytes of the open batch. */
  get openBytes(): number {
    return this.#open.bytes;
  }

  /** Whether Redis has ever stored a number for it. */
  get isKnownToRedis(): boolean {
    return this.#numbers.areUsed;
  }

  /** Adds records to one batch, or to as few as `maxBatchBytes` allows. `now` and `deadline` by the monotonic clock. */
  add(records: readonly PreparedRecord[], bytes: number, now: number, deadline: number): void {
    this.#open.makeRoom(bytes);
    for (const record of records) {
      this.#topic.learn(record.topic);
      this.#open.add(record, bytes, now, deadline);
    }
    this.#pump();
  }

  /** The open batch has lingered: it is sent as soon as fewer batches are in flight. */
  flush(): void {
    this.#open.isDue = true;
    this.#pump();
  }

  /** All batches that are not settled, and possibly some that were given up. */
  batches(): ProducerBatch[] {
    const toResend = this.#toResend.map(({ batch }) => batch);
    return [this.#open.batch ?? [], ...this.#waiting, ...this.#inFlight, ...toResend].flat();
  }

  /** Fails everything that is not confirmed, each batch with its `errorOf`. */
  abort(errorOf: (batch: ProducerBatch) => MillraceError): void {
    const left = this.batches();
    this.#open.take();
    for (const batch of left) batch.fail(errorOf(batch));
  }

  /** A batch takes no more records. */
  closed(batch: ProducerBatch): void {
    this.#waiting.push(batch);
  }

  /** The delivery timeout of a batch has passed. */
  giveUp(batch: ProducerBatch): void {
    if (this.#open.batch === batch) this.#open.close();
    batch.fail(overdue(batch, this.partition, this.#config.options.deliveryTimeoutMs));
  }

  #pump(): void {
    while (!this.#isRecovering && this.#toResend.length === 0 && this.#inFlight.length < this.#maxInFlight) {
      if (this.#waiting.size === 0) this.#open.closeIfReady(this.#inFlight.length === 0);
      const batch = this.#waiting.shift();
      if (batch === undefined) return;
      if (!batch.isSettled) this.#go(batch);
    }
  }

  /** Sends a batch if its values are encoded for the topic that exists now, which Redis may have to be asked for. */
  #go(batch: ProducerBatch): void {
    const isEncoded = this.#topic.isEncodedFor(batch);
    if (isEncoded !== 'no') this.#numbers.give(batch);
    if (isEncoded === 'no') refuse(batch, this.partition, otherCodec(batch, this.#topic.now));
    else if (isEncoded === 'yes') this.#launch(batch);
    else this.#putAside(batch, 'gone');
  }

  #launch(batch: ProducerBatch): void {
    this.#inFlight.push(batch);
    const compression = this.#config.options.compression ?? this.#topic.now.compression;
    const codecId = this.#config.codecId(batch.topic);
    const compressing = batch.state === 'open' ? batch.makeFrame(codecId, compression) : undefined;
    if (compressing === undefined) this.#transmitReady();
    else void compressing.then(() => this.#transmitReady());
  }

  /** Sends the batches that are compressed, in order: one that is not ready blocks those after it. */
  #transmitReady(): void {
    for (const batch of [...this.#inFlight]) {
      const transmission = transmissionOf(batch.state, this.#config.channel.isUp);
      if (transmission === 'wait') return;
      if (transmission === 'leave') this.#leave(batch);
      else if (transmission === 'return') this.#conclude(batch, unsent);
      else if (transmission === 'send' && batch.frame !== undefined) this.#transmit(batch, batch.frame);
    }
  }

  #transmit(batch: ProducerBatch, frame: Buffer): void {
    const { options, producerId, channel } = this.#config;
    const { epoch, sequence, maxTimestamp, count } = batch;
    const isForgotten = options.acks === 'none';
    const identity = options.idempotent && !isForgotten ? { producerId, epoch, sequence } : undefined;
    const append = { topicId: this.#topic.now.id, count, maxTimestamp, frame, identity };
    batch.sent();
    channel.append(this.keys, append).then(
      (reply) => this.#conclude(batch, resultOfReply(reply, batch.slowestGroup)),
      (error: unknown) => this.#conclude(batch, resultOfError(error)),
    );
    if (isForgotten) batch.confirm(-1, this.partition);
  }

  #conclude(batch: ProducerBatch, result: AppendResult): void {
    batch.replied();
    if (result.kind !== 'confirmed' && this.#config.options.acks === 'none') {
      this.#report(new Error('a batch without acknowledgement was not written', { cause: result }));
    }
    switch (result.kind) {
      case 'confirmed':
        this.#remedy.forgetFailures();
        this.#config.onNewVersion(this.#topic.now, result.topicVersion);
        batch.confirm(result.baseOffset, this.partition, result.timestamp);
        this.#leave(batch);
        break;
      case 'retry':
        if (result.failure !== undefined) batch.note(result.failure);
        this.#putAside(batch, result.reason);
        break;
      case 'refused':
        refuse(batch, this.partition, result.failure, result.cause);
        this.#leave(batch);
        break;
      default:
        result satisfies never;
    }
  }

  #putAside(batch: ProducerBatch, reason: RetryReason): void {
    this.#toResend.push({ batch, reason });
    this.#leave(batch);
  }

  #leave(batch: ProducerBatch): void {
    const at = this.#inFlight.indexOf(batch);
    if (at >= 0) this.#inFlight.splice(at, 1);
    if (this.#toResend.length === 0) this.#pump();
    else if (this.#inFlight.length === 0 && !this.#isRecovering) void this.#recover();
  }

  /** No batch is in flight any more: removes the reason, then sends them again in order. */
  async #recover(): Promise<void> {
    this.#isRecovering = true;
    const toResend = this.#toResend.sort((a, b) => a.batch.sequence - b.batch.sequence);
    const batches = toResend.map(({ batch }) => batch);
    const first = toResend.find(({ batch }) => !batch.isSettled);
    try {
      if (this.#config.channel.isClosed) {
        this.abort((batch) => writeError(batch, this.partition, 'the connection is closed'));
      } else if (first !== undefined) await this.#remedy.apply(first.reason, batches);
    } catch (error) {
      // Waiting only helps against an outage.
      if (error instanceof MillraceError && !(error instanceof UnavailableError)) this.abort(() => error);
      else this.#report(error);
    }
    this.#toResend = [];
    this.#waiting.putBack(batches);
    this.#isRecovering = false;
    this.#pump();
  }

  #report(error: unknown): void {
    this.#config.onBackgroundError(`send to topic "${this.topicName}", partition ${this.partition}`, error);
  }
}
