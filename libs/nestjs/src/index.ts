/**
 * Millrace for Nest. Begin with {@link MillraceModule}, {@link LogHandler} and {@link QueueHandler}.
 *
 * @module @millrace/nestjs
 */
export { Drop, RetryLater, remoteDetails } from '@millrace/core';
export type { BatchContext as RecordBatchContext, BatchRecord, RecordContext, RecordMetadata } from '@millrace/log';
export type {
  BatchContext as MessageBatchContext,
  BatchMessage,
  MessageContext,
  MessageRetry,
  PublishProperties,
  Receipt,
} from '@millrace/queue';
export { Requeue } from '@millrace/queue';
export { ConsumerHandle } from './consumer-handle.js';
export { Consumers } from './consumers.js';
export {
  defineExchange,
  defineQueue,
  defineTopic,
  type ExchangeDefinition,
  type ExchangeMessages,
  type QueueDefinition,
  type TopicDefinition,
} from './definitions.js';
export {
  type Configured,
  type DeadLetterSource,
  LogBatchHandler,
  LogHandler,
  OnDeadLetter,
  QueueBatchHandler,
  QueueHandler,
} from './handler-decorators.js';
export type { MillraceContextType } from './handler-execution.js';
export type { HandlerBinding, LogHandlerOptions, QueueHandlerOptions } from './handler-options.js';
export type { HandlerPlan } from './handler-plan.js';
export { type HealthIndicatorResult, type HealthReport, type HealthStatus, MillraceHealth } from './health.js';
export type { HealthOptions } from './health-options.js';
export { InjectExchange, InjectMillrace, InjectProducer, InjectQueue } from './inject.js';
export { MessageRequest } from './message-request.js';
export { MillraceMetricsModule, type MillraceMetricsOptions } from './metrics-module.js';
export { Millrace, type MillraceState } from './millrace.js';
export { MillraceMetrics } from './millrace-metrics.js';
export {
  type MillraceAsyncOptions,
  type MillraceFeature,
  MillraceModule,
  type MillraceOptionsFactory,
} from './millrace-module.js';
export type { MillraceModuleInput, MillraceModuleOptions } from './module-options.js';
export { Ctx, MessageHeader, Payload } from './payload-decorators.js';
export type { PayloadClass, PayloadOf, PayloadType, StandardSchema } from './payload-type.js';
export type { ClassValidation } from './payload-validation.js';
export { DeadLetter, type DeadLetterTarget, Retry } from './policy-decorators.js';
export { ExchangePublisher, QueueSender, TopicProducer, type TopicRecord } from './publishers.js';
export {
  getExchangeToken,
  getMillraceOptionsToken,
  getMillraceToken,
  getProducerToken,
  getQueueToken,
} from './tokens.js';
export type { Topology } from './topology.js';
