import { redisFailure } from '@millrace/redis';
import { updateFloor } from '../store/append.js';
import type { PartitionKeys } from '../store/keys.js';
import { restAfter } from './append-failure.js';
import type { RetryReason } from './append-result.js';
import type { AppenderConfig } from './appender-config.js';
import type { BatchNumbers } from './batch-numbers.js';
import type { ProducerBatch } from './producer-batch.js';
import type { TargetTopic } from './target-topic.js';

/** Removes the reason for which batches of one partition were put aside, so that they can be sent again. */
export class AppendRemedy {
  readonly #config: AppenderConfig;
  readonly #place: { readonly partition: number; readonly keys: PartitionKeys };
  readonly #topic: TargetTopic;
  readonly #numbers: BatchNumbers;
  #failures = 0;

  constructor(
    config: AppenderConfig,
    place: { readonly partition: number; readonly keys: PartitionKeys },
    topic: TargetTopic,
    numbers: BatchNumbers,
  ) {
    this.#config = config;
    this.#place = place;
    this.#topic = topic;
    this.#numbers = numbers;
  }

  /** A batch was confirmed: the backoff starts over. */
  forgetFailures(): void {
    this.#failures = 0;
  }

  /** @throws {MillraceError} nothing more can be sent to the topic */
  async apply(reason: RetryReason, toResend: readonly ProducerBatch[]): Promise<void> {
    const { channel, reopen } = this.#config;
    const { partition, keys } = this.#place;
    switch (reason) {
      case 'gap':
        // An earlier batch was given up, or lost by a failover: it will not be sent, so numbering starts again.
        this.#numbers.startOver();
        break;
      case 'gone':
        if (await this.#topic.reread((name) => reopen(name, partition))) this.#numbers.startOver();
        // The same topic is just being declared or deleted.
        else await restAfter(this.#failures++);
        break;
      case 'over-limit': {
        const slowest = await updateFloor(channel.client, keys);
        for (const batch of toResend) batch.slowestGroup = slowest;
        break;
      }
      case 'blocked':
        await this.#unblock();
        break;
      case 'failure':
        await channel.whenUp(1000);
        await restAfter(this.#failures++);
        break;
      default:
        reason satisfies never;
    }
  }

  /** Without the right to remove the blocking entry, another process must do it: see `blocked`. */
  async #unblock(): Promise<void> {
    try {
      await this.#config.removeForeignEntries({ topic: this.#topic.now.name, partition: this.#place.partition });
    } catch (error) {
      if (redisFailure(error).failure !== 'denied') throw error;
      await restAfter(this.#failures++);
    }
  }
}
