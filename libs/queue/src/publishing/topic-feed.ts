import { InvalidMessageError } from '@millrace/core';
import type { TopicPosition } from '../model/receipt.js';
import type { Publication } from './publication.js';
import type { TopicSink } from './topic-sink.js';

/** Publishes messages through bindings whose destination is a topic. */
export class TopicFeed {
  /** Appends to topics; see @millrace/bridge. */
  sink: TopicSink | undefined;

  /** @throws {TopicNotFoundError} a binding leads to a topic that does not exist; without a sink, publishing fails instead */
  async assertThere(bindings: readonly { readonly topic?: string | undefined }[]): Promise<void> {
    const topics = bindings.flatMap(({ topic }) => topic ?? []);
    await Promise.all(topics.map((topic) => this.sink?.assertTopic(topic)));
  }

  /** @throws {InvalidMessageError} the message cannot go to the topics of its route */
  check({ route, target }: Publication): void {
    if (route.topics.length === 0) return;
    const topic = `topic "${route.topics[0]}", to which exchange "${target.exchange}" is bound`;
    if (this.sink === undefined) {
      throw new InvalidMessageError(
        `${topic}, cannot be reached: connect this Broker to a Log with bridge(broker, log).`,
      );
    }
    if (target.isDelayed)
      throw new InvalidMessageError(`${topic}, does not support delayed messages: leave out delayMs.`);
  }

  /** Topics come last, when all queues have replied: nothing is written to a log for a message that is routed again. Never rejects. */
  async append(publication: Publication): Promise<void> {
    const append = async (topic: string): Promise<TopicPosition | undefined> => {
      try {
        return await this.sink?.append(topic, publication.topicMessage());
      } catch (error) {
        publication.topicFailed(topic, error);
        return undefined;
      }
    };
    const positions = await Promise.all(publication.route.topics.map(append));
    publication.confirm(positions.filter((position) => position !== undefined));
  }
}
