import { TopicHandle } from '@millrace/log';
import { QueueHandle } from '@millrace/queue';

/**
 * What `@InjectQueue(queue)` injects.
 *
 * @deprecated use `QueueHandle`
 */
export const QueueSender = QueueHandle;
/**
 * What `@InjectQueue(queue)` injects.
 *
 * @deprecated use `QueueHandle`
 */
export type QueueSender<T = unknown> = QueueHandle<T>;

/**
 * What `@InjectProducer(topic)` injects.
 *
 * @deprecated use `TopicHandle`
 */
export const TopicProducer = TopicHandle;
/**
 * What `@InjectProducer(topic)` injects.
 *
 * @deprecated use `TopicHandle`
 */
export type TopicProducer<T = unknown> = TopicHandle<T>;
