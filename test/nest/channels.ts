import { LogHandler, Millrace, MillraceModule, QueueHandler } from '@millrace/nestjs';
import { waitFor } from '@millrace/testing';
import { type DynamicModule, type INestApplication, Injectable } from '@nestjs/common';

/** The two kinds of source a handler can have; what is promised of handlers is proved on both. */
export const channels = ['queue', 'log'] as const;
export type Channel = (typeof channels)[number];

/** Declares the queue `work` and the topic `work`. */
export function channelsModule(): DynamicModule {
  return MillraceModule.forFeature({ queues: ['work'], topics: [{ name: 'work' }] });
}

/** Handles the queue `work` and the topic `work`, and keeps every payload. */
@Injectable()
export class Inbox {
  readonly got: unknown[] = [];

  @QueueHandler({ queue: 'work' })
  @LogHandler({ topic: 'work', group: 'inbox' })
  onMessage(payload: unknown): void {
    this.got.push(payload);
  }
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

/** Waits until nothing that was sent is left to do: in the queue `work`, or for a group of the topic `work`. */
export async function settled(application: INestApplication, channel: Channel, group: string): Promise<void> {
  const { broker, log } = application.get(Millrace);
  const isSettled = async (): Promise<boolean> => {
    if (channel === 'log') return (await log.groups.lag(group))[0]?.lag === 0;
    const { ready, delayed, unacked, dying } = await broker.queue('work').counts();
    return ready + delayed + unacked + dying === 0;
  };
  await waitFor(isSettled, { what: 'every message to be done with' });
}
