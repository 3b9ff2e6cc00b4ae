/**
 * Millrace for Nest. Start with {@link MillraceModule}, {@link LogHandler} and {@link QueueHandler}.
 *
 * @module @millrace/nestjs
 */
export { Drop, RetryLater, remoteDetails } from '@millrace/core';
export type {
  BatchContext as RecordBatchContext,
  BatchRecord,
  LogRecord,
  RecordContext,
  RecordMetadata,
  TopicRecord,
} from '@millrace/log';
export { TopicHandle } from '@millrace/log';
export type {
  BatchContext as MessageBatchContext,
  BatchMessage,
  MessageContext,
  MessageRetry,
  PublishProperties,
  QueueMessage,
  Receipt,
  RequestOptions,
} from '@millrace/queue';
export { QueueHandle, Requeue } from '@millrace/queue';
export { ConsumerHandle } from './consumers/consumer-handle.js';
export { Consumers } from './consumers/consumers.js';
export {
  defineExchange,
  defineQueue,
  defineTopic,
  type ExchangeDefinition,
  type ExchangeMessages,
  type QueueDefinition,
  type TopicDefinition,
} from './decorators/definitions.js';
export { QueueSender, TopicProducer } from './decorators/handle-names.js';
export {
  type Configured,
  type DeadLetterSource,
  LogBatchHandler,
  LogHandler,
  OnDeadLetter,
  QueueBatchHandler,
  type QueueDeadLetters,
  QueueHandler,
  type TopicDeadLetters,
} from './decorators/handler-decorators.js';
export type {
  HandlerBinding,
  LogBatchHandlerOptions,
  LogHandlerOptions,
  QueueBatchHandlerOptions,
  QueueHandlerOptions,
} from './decorators/handler-options.js';
export { InjectExchange, InjectMillrace, InjectProducer, InjectQueue } from './decorators/inject.js';
export { Ctx, MessageHeader, Payload } from './decorators/payload-decorators.js';
export type { PayloadClass, PayloadOf, PayloadType, StandardSchema } from './decorators/payload-type.js';
export { DeadLetter, type DeadLetterTarget, Retry } from './decorators/policy-decorators.js';
export {
  getExchangeToken,
  getMillraceOptionsToken,
  getMillraceToken,
  getProducerToken,
  getQueueToken,
} from './decorators/tokens.js';
export { type HealthIndicatorResult, type HealthReport, type HealthStatus, MillraceHealth } from './health/health.js';
export type { HealthOptions } from './health/health-options.js';
export { ExchangePublisher } from './module/exchange-publisher.js';
export { MillraceMetricsModule, type MillraceMetricsOptions } from './module/metrics-module.js';
export { Millrace, type MillraceState } from './module/millrace.js';
export { MillraceMetrics } from './module/millrace-metrics.js';
export {
  type MillraceAsyncOptions,
  type MillraceFeature,
  MillraceModule,
  type MillraceOptionsFactory,
} from './module/millrace-module.js';
export type { MillraceModuleInput, MillraceModuleOptions } from './module/module-options.js';
export type { MillraceContextType } from './pipeline/handler-execution.js';
export { MessageRequest } from './pipeline/message-request.js';
export type { ClassValidation } from './pipeline/payload-validation.js';
export type { ResolvedHandler, ResolvedLogHandler, ResolvedQueueHandler } from './plans/resolved-handler.js';
export type { Topology } from './topology/topology.js';
