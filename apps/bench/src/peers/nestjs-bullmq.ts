import 'reflect-metadata';
import { BullModule, Processor, WorkerHost } from '@nestjs/bullmq';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Job } from 'bullmq';
import type { Payload } from '../payload.js';
import { urlOf } from '../place.js';
import type { OpenQueuePeer, QueueHandler } from '../queue-peer.js';
import { openBullmq } from './bullmq.js';

/** BullMQ in a Nest application, as its documentation has it. */
export const openNestjsBullmq: OpenQueuePeer = async (place, name = 'bench') => {
  const queue = await openBullmq(place, name);
  const { hostname: host, port } = new URL(urlOf(place, 'redis'));
  const connection = { host, port: Number(port) };
  return {
    ...queue,
    consume: async (handler, { concurrency }) => {
      const application = applicationOf(connection, name, { handler, concurrency });
      const context = await NestFactory.createApplicationContext(application, { logger: false });
      return { stop: () => context.close() };
    },
  };
};

function applicationOf(
  connection: { readonly host: string; readonly port: number },
  name: string,
  { handler, concurrency }: { handler: QueueHandler; concurrency: number },
) {
  @Processor(name, { concurrency })
  class Handlers extends WorkerHost {
    override async process(job: Job<Payload>): Promise<void> {
      await handler(job.data);
    }
  }

  @Module({
    imports: [BullModule.forRoot({ connection }), BullModule.registerQueue({ name })],
    providers: [Handlers],
  })
  class Application {}

  return Application;
}
