import 'reflect-metadata';
import { MillraceModule, Payload, QueueHandler } from '@millrace/nestjs';
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
import type { Payload as Message } from '../payload.js';
import { urlOf } from '../place.js';
import type { QueueHandler as Handle, OpenQueuePeer } from '../queue-peer.js';
import { openMillraceQueue } from './millrace-queue.js';

/** Ours in a Nest application: the queue is filled by a plain broker, and handled by a provider's method. */
export const openMillraceNest: OpenQueuePeer = async (place, name = 'bench') => {
  const queue = await openMillraceQueue(place, name);
  return {
    ...queue,
    consume: async (handler, { concurrency }) => {
      const application = applicationOf(urlOf(place, 'redis'), name, { handler, concurrency });
      const context = await NestFactory.createApplicationContext(application, { logger: false });
      return { stop: () => context.close() };
    },
  };
};

function applicationOf(url: string, queue: string, { handler, concurrency }: { handler: Handle; concurrency: number }) {
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
    @QueueHandler({ queue, concurrency })
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
