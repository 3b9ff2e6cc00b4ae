import { Millrace, MillraceModule } from '@millrace/nestjs';
import type { DynamicModule, INestApplication } from '@nestjs/common';

/** The two kinds of source a handler can have; what is promised of handlers is proved on both. */
export const channels = ['queue', 'log'] as const;
export type Channel = (typeof channels)[number];

/** Declares the queue `work` and the topic `work`. */
export function channelsModule(): DynamicModule {
  return MillraceModule.forFeature({ queues: ['work'], topics: [{ name: 'work' }] });
}

/** Sends a payload to the queue `work` or the topic `work`. */
export async function send(
  application: INestApplication,
  channel: Channel,
  payload: unknown,
  headers: Record<string, string> = {},
): Promise<void> {
  const { broker, producer } = application.get(Millrace);
  if (channel === 'queue') await broker.sendToQueue('work', payload, { headers });
  else await producer.send({ topic: 'work', value: payload, headers });
}
