import type { Topic } from '../model/topic.js';
import type { ProducerBatch } from './producer-batch.js';

/** The topic that an appender writes to, as far as it knows: another one may have the name now. */
export class TargetTopic {
  #topic: Topic;
  /** When Redis was last asked for the topic of that name; monotonic. */
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(topic: Topic) {
    this.#topic = topic;
  }

  get now(): Topic {
    return this.#topic;
  }

  /** A record has newer settings of it. */
  learn(topic: Topic): void {
    if (topic.id === this.#topic.id && topic.version > this.#topic.version) this.#topic = topic;
  }

  /** Reads it again. Resolves to whether it is another topic than before. */
  async reread(read: (name: string) => Promise<Topic>): Promise<boolean> {
    const askedAt = performance.now();
    const topic = await read(this.#topic.name);
    const isOther = topic.id !== this.#topic.id;
    this.#topic = topic;
    this.#askedAt = askedAt;
    return isOther;
  }

  /**
   * Whether a batch's values are encoded as the topic declares: `no` when the topic was deleted and declared again with another
   * codec while the batch waited, `perhaps` when only Redis knows which of the two exists.
   */
  isEncodedFor({ topic, createdAt }: ProducerBatch): 'yes' | 'no' | 'perhaps' {
    if (topic.codec === this.#topic.codec) return 'yes';
    return createdAt <= this.#askedAt ? 'no' : 'perhaps';
  }
}
