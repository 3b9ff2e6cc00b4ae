import type * as core from '@millrace/core';
import type * as logs from '@millrace/log';
import type * as metrics from '@millrace/metrics';
import type * as nest from '@millrace/nestjs';
import type * as transport from '@millrace/nestjs/transport';
import type * as queues from '@millrace/queue';
import type * as redis from '@millrace/redis';
import type * as common from '@nestjs/common';
import type * as nestCore from '@nestjs/core';
import type * as microservices from '@nestjs/microservices';
import type * as terminus from '@nestjs/terminus';
import type * as testing from '@nestjs/testing';

/**
 * What the pages of `docs/` take for granted. Imports are left out there, so the exports of our packages and of Nest have their names
 * here; so have the few things that stand for a reader's own.
 */
declare global {
  // Our packages.
  const Log: typeof logs.Log;
  const RedisConnection: typeof redis.RedisConnection;
  type RecordContext = logs.RecordContext;
  type Producer = logs.Producer;
  type MessageContext = queues.MessageContext;
  const Metrics: typeof metrics.Metrics;
  const RetryLater: typeof core.RetryLater;
  const DeadLetter: typeof core.DeadLetter;
  const LogHandler: typeof nest.LogHandler;
  const LogBatchHandler: typeof nest.LogBatchHandler;
  const QueueHandler: typeof nest.QueueHandler;
  const QueueBatchHandler: typeof nest.QueueBatchHandler;
  const OnDeadLetter: typeof nest.OnDeadLetter;
  const Retry: typeof nest.Retry;
  const InjectProducer: typeof nest.InjectProducer;
  const InjectExchange: typeof nest.InjectExchange;
  const InjectQueue: typeof nest.InjectQueue;
  const defineTopic: typeof nest.defineTopic;
  const defineQueue: typeof nest.defineQueue;
  const defineExchange: typeof nest.defineExchange;
  const MillraceModule: typeof nest.MillraceModule;
  const MillraceMetricsModule: typeof nest.MillraceMetricsModule;
  const MillraceServer: typeof transport.MillraceServer;
  const MillraceClient: typeof transport.MillraceClient;
  type MillraceHealth = nest.MillraceHealth;
  type TopicHandle<T = unknown> = nest.TopicHandle<T>;
  type ExchangePublisher<M extends nest.ExchangeMessages = nest.ExchangeMessages> = nest.ExchangePublisher<M>;
  type QueueHandle<T = unknown, R = unknown> = nest.QueueHandle<T, R>;

  // Nest.
  const Module: typeof common.Module;
  const Injectable: typeof common.Injectable;
  const Controller: typeof common.Controller;
  const Get: typeof common.Get;
  const NestFactory: typeof nestCore.NestFactory;
  const ClientsModule: typeof microservices.ClientsModule;
  const HealthCheck: typeof terminus.HealthCheck;
  type HealthCheckService = terminus.HealthCheckService;
  const Test: typeof testing.Test;

  // What was opened earlier.
  const connection: redis.RedisConnection;
  const log: logs.Log;
  const broker: queues.Broker;
  const producer: logs.Producer;
  const url: string;

  // A reader's own.
  class AppModule {}
  class OrderPlaced {
    total: number;
  }
  class OrderCreated {
    id: string;
  }
  class Email {
    to: string;
  }
  const orders: nest.TopicDefinition<OrderPlaced>;
  const emails: nest.QueueDefinition<Email>;
  const events: nest.ExchangeDefinition<{ 'order.created': typeof OrderCreated }>;
  class Database {
    query<T = unknown>(sql: string, values?: readonly unknown[]): Promise<T[]>;
    transaction<T>(work: (transaction: Database) => Promise<T>): Promise<T>;
  }
  class CardRefusedError extends Error {}
  const isTimeout: (error: unknown) => boolean;
  const handler: () => Promise<void>;
  const onOrder: () => Promise<void>;
  const onPaid: () => Promise<void>;
  const insert: (rows: readonly unknown[]) => Promise<undefined>;
  const send: (payload: unknown, options: { signal: AbortSignal }) => Promise<void>;
  const mail: { send(payload: unknown, options: { idempotencyKey: string }): Promise<void> };
  const priceOf: (sku: string) => Promise<number>;
  const rows: (from: number) => AsyncIterable<{ id: number }>;
  const mended: (body: unknown) => unknown;
  const id: string;
  const yesterday: number;
  const lastYear: number;
  const registry: import('prom-client').Registry;
  const createServer: typeof import('node:http').createServer;
  const expect: (value: unknown) => { toEqual(expected: unknown): void };
}
