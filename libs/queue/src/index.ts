/**
 * Exchanges, queues, bindings, publishing, consumers, requests. Begin with {@link Broker}.
 *
 * @module @millrace/queue
 */
export type { RedriveReport } from '@millrace/core';
export { Broker } from './broker.js';
export { type BrokerOptions, resolveBrokerOptions } from './broker-options.js';
export { CompletedMessage, type CompletedMessagePage } from './completed-message.js';
export { QueueConsumer } from './consumer/consumer.js';
export type { ConsumerInput, ConsumerOptions, HandlerInput } from './consumer/consumer-options.js';
export type { ConsumerStatus } from './consumer/consumer-status.js';
export type { DeadLetterChange, DeadLetterChoice, RedriveOptions } from './dead-letters/dead-letter-options.js';
export type { DeadLetterQueue } from './dead-letters/dead-letter-queue.js';
export { BatchContext, type BatchMessage } from './handling/batch-context.js';
export type { BatchHandler, HandlerOptions, MessageHandler, MessageMiddleware } from './handling/handling-options.js';
export { MessageCancelledError } from './handling/message-cancelled.js';
export { MessageContext } from './handling/message-context.js';
export { Requeue } from './handling/requeue.js';
export type { MessagePage, PageOptions } from './message-page.js';
export { MessageSender, type QueueMessage, type QueuePayloads } from './message-sender.js';
export type { MessageState } from './message-state.js';
export type { Binding, BindingDeclaration, DestinationKind } from './model/binding.js';
export type { Death } from './model/death.js';
export {
  type ExchangeDeclaration,
  type ExchangeSettings,
  type ExchangeType,
  resolveExchange,
} from './model/exchange-settings.js';
export type { KeepCompleted } from './model/keep-completed.js';
export {
  decodeFrame,
  encodeFrame,
  frameTimestamp,
  maxHeadBytes,
  type StoredMessage,
  type StoredProperties,
} from './model/message-frame.js';
export type { MessageRetry, PlainBackoff } from './model/message-retry.js';
export type { PublishProperties } from './model/publish-properties.js';
export { settingFields } from './model/queue-meta.js';
export {
  type DeadLetterTarget,
  differences as settingDifferences,
  type Overflow,
  type QueueDeclaration,
  type QueueSettings,
  resolveQueue,
} from './model/queue-settings.js';
export type { Receipt, Refusal, TopicPosition } from './model/receipt.js';
export { type Route, Router } from './model/routing.js';
export { slotsOf } from './model/shards.js';
export { topicMatches } from './model/topic-pattern.js';
export type { Topology } from './model/topology.js';
export type { PlanStep, TopologyDefinition } from './model/topology-plan.js';
export type { MessageInput } from './publishing/composer.js';
export type { TopicMessage, TopicSink } from './publishing/topic-sink.js';
export { QueueHandle, type QueueHandleOptions } from './queue-handle.js';
export { QueuedMessage, type UnreadableMessage } from './queued-message.js';
export type { RequestOptions } from './rpc/rpc-client.js';
export { RemoteError, ReplyStreamLostError, RequestTimeoutError, StreamTakenError } from './rpc/rpc-errors.js';
export type { JobState } from './store/job.js';
export { queueKeys, topologyKeys, waitingKeys } from './store/keys.js';
export type { QueueCounts } from './store/queue-counts.js';
export type { RemoveConditions } from './store/queue-slot.js';
export { soundQueues } from './store/topology-reading.js';
export type { DeclareOptions } from './topology/declarations.js';
