import type { RequestListener } from 'node:http';
import * as core from '@millrace/core';
import { Log } from '@millrace/log';
import { Metrics } from '@millrace/metrics';
import * as nest from '@millrace/nestjs';
import * as transport from '@millrace/nestjs/transport';
import { RedisConnection } from '@millrace/redis';
import * as common from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientsModule } from '@nestjs/microservices';
import { HealthCheck, HealthCheckService } from '@nestjs/terminus';
import { Test } from '@nestjs/testing';
import { IsInt, IsString } from 'class-validator';
import { Registry } from 'prom-client';
import type { Desk } from './desk.js';

/** The exports that pages leave the imports of out: what `given.ts` declares, as values. */
export const exported: object = {
  ...{ Log, RedisConnection, Metrics, NestFactory, ClientsModule, HealthCheck, HealthCheckService, Test },
  ...core,
  ...nest,
  ...transport,
  ...common,
};

class OrderPlaced {
  @IsInt()
  total!: number;
}
class OrderCreated {
  @IsString()
  id!: string;
}
class Email {
  @IsString()
  to!: string;
}
class CardRefusedError extends Error {}
class AppModule {}
/** The token of the scene's own database. */
class Database {}

const types = { OrderPlaced, OrderCreated, Email };

/** What stands for a reader's own in `given.ts`: it does little, and notes on the desk what it was called with. */
export function readersOwn(desk: Desk): object {
  const { calls } = desk;
  const noting =
    (name: string) =>
    async (...args: unknown[]) =>
      void calls.push([name, ...args]);
  return {
    ...types,
    ...{ AppModule, CardRefusedError, Database },
    orders: nest.defineTopic({ name: 'orders', partitions: 8, type: OrderPlaced }),
    emails: nest.defineQueue({ name: 'emails', type: Email }),
    events: nest.defineExchange({ name: 'events', type: 'topic', messages: { 'order.created': OrderCreated } }),
    handler: async () => {
      calls.push(['handler']);
      throw new CardRefusedError('the card was refused');
    },
    isTimeout: (error: unknown) => error instanceof DOMException,
    onOrder: noting('onOrder'),
    onPaid: noting('onPaid'),
    insert: noting('insert'),
    send: noting('send'),
    mail: { send: noting('mail.send') },
    priceOf: async (sku: string) => sku.length * 100,
    rows: async function* (from: number) {
      for (let id = from; id < from + 3; id++) yield { id };
    },
    mended: (body: unknown) => ({ ...Object(body), isMended: true }),
    id: 'the-id',
    yesterday: Date.now() - 86_400_000,
    lastYear: Date.now() - 365 * 86_400_000,
    registry: new Registry(),
    createServer: (handler: RequestListener) => ({ listen: () => void desk.serve(handler) }),
  };
}
