import 'reflect-metadata';
import { LogHandler, MillraceModule, Payload, QueueHandler } from '@millrace/nestjs';
import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  Module,
  type NestInterceptor,
  type PipeTransform,
  UseInterceptors,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Observable } from 'rxjs';
import type { OpenLogPeer } from '../log-peer.js';
import type { Payload as Message } from '../payload.js';
import { type Place, urlOf } from '../place.js';
import type { QueueHandler as Handle, OpenQueuePeer } from '../queue-peer.js';
import { openMillraceLog } from './millrace-log.js';
import { openMillraceQueue } from './millrace-queue.js';

/** Ours in a Nest application: the queue is filled by a plain broker, and handled by a provider's method. */
export const openMillraceNest: OpenQueuePeer = async (place, name = 'bench') => {
  const queue = await openMillraceQueue(place, name);
  return {
    ...queue,
    consume: (handler, { concurrency }) => consume(place, handler, QueueHandler({ queue: name, concurrency })),
  };
};

/** The same with a topic. */
export const openMillraceNestLog: OpenLogPeer = async (place, layout) => {
  const log = await openMillraceLog(place, layout);
  return {
    ...log,
    consume: (handler, { concurrency }) =>
      consume(place, handler, LogHandler({ topic: 'bench', group: 'bench', concurrency })),
  };
};

async function consume(place: Place, handler: Handle, decorator: ReturnType<typeof QueueHandler>) {
  const application = applicationOf(urlOf(place, 'redis'), handler, decorator);
  const context = await NestFactory.createApplicationContext(application, { logger: false });
  return { stop: () => context.close() };
}

function applicationOf(url: string, handler: Handle, decorator: ReturnType<typeof QueueHandler>) {
  @Injectable()
  class Same implements PipeTransform {
    transform(value: unknown): unknown {
      return value;
    }
  }

  @Injectable()
  class PassOn implements NestInterceptor {
    intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
      return next.handle();
    }
  }

  @Injectable()
  class Handlers {
    @decorator
    @UseInterceptors(PassOn)
    handle(@Payload(Same) message: Message): void | Promise<void> {
      return handler(message);
    }
  }

  @Module({
    imports: [MillraceModule.forRoot({ connection: { url }, logging: false })],
    providers: [Handlers],
  })
  class Application {}

  return Application;
}
