import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ClosedError, OptionsError } from '@millrace/core';
import { Consumers, LogHandler, QueueHandler } from '@millrace/nestjs';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { type INestApplication, Injectable } from '@nestjs/common';
import { connectionTo, someReplies, startApplication } from './application.js';
import { type Channel, channels, channelsModule, send } from './channels.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(stopEverything);

@Injectable()
class Inbox {
  readonly begun: unknown[] = [];
  readonly ended: unknown[] = [];
  open: () => void = () => undefined;
  gate: Promise<void> | undefined;

  @QueueHandler({ queue: 'work' })
  onQueue(payload: unknown): Promise<void> {
    return this.#handle(payload);
  }

  @LogHandler({ topic: 'work', group: 'inbox' })
  onLog(payload: unknown): Promise<void> {
    return this.#handle(payload);
  }

  /** From now on handlers wait for `open`. */
  shut(): void {
    this.gate = new Promise((resolve) => {
      this.open = () => {
        this.gate = undefined;
        resolve();
      };
    });
  }

  async #handle(payload: unknown): Promise<void> {
    this.begun.push(payload);
    await this.gate;
    this.ended.push(payload);
  }
}

async function running(channel: Channel) {
  const application = await startApplication(connectionTo(redis), { imports: [channelsModule()], providers: [Inbox] });
  const handle = application.get(Consumers).find(channel === 'queue' ? 'Inbox.onQueue' : 'Inbox.onLog');
  if (handle === undefined) throw new Error('no handle');
  return { application, handle, inbox: application.get(Inbox) };
}

async function handled(inbox: Inbox, application: INestApplication, channel: Channel, payload: unknown) {
  await send(application, channel, payload);
  await waitFor(() => inbox.ended.includes(payload), { what: `${payload} to be handled` });
}

describe.each(channels)('the handle of a %s handler', (channel) => {
  it('pauses, which resolves when running handlers have ended, and resumes', async () => {
    // given
    const { application, handle, inbox } = await running(channel);
    await handled(inbox, application, channel, 1);
    inbox.shut();
    await send(application, channel, 2);
    await waitFor(() => inbox.begun.length === 2, { what: 'the handler to begin' });
    // when
    let isPaused = false;
    const paused = handle.pause().then(() => {
      isPaused = true;
    });
    await send(application, channel, 3);
    // then
    expect(isPaused).toBe(false);
    inbox.open();
    await paused;
    await someReplies(redis);
    expect(inbox.begun).toEqual([1, 2]);
    handle.resume();
    await waitFor(() => inbox.ended.length === 3, { what: 'what waited' });
    await application.close();
  });

  it('ends the wait for a pause that is taken back, or ends with the consumer', async () => {
    // given
    const { application, handle, inbox } = await running(channel);
    inbox.shut();
    await send(application, channel, 1);
    await waitFor(() => inbox.begun.length === 1, { what: 'the handler to begin' });
    // when
    const first = handle.pause();
    handle.resume();
    await first;
    const second = handle.pause();
    await handle.stop({ deadlineMs: 10 });
    // then
    await expect(second).resolves.toBeUndefined();
    inbox.open();
    await application.close();
  });

  it('says so when the consumer does not run', async () => {
    // given
    const { application, handle } = await running(channel);
    await handle.stop();
    // then
    await expect(handle.pause()).rejects.toThrow(ClosedError);
    await expect(handle.seek({ topic: 'work', partition: 0 }, 0)).rejects.toThrow(ClosedError);
    expect(() => handle.resume()).toThrow(ClosedError);
    expect(handle.assignment).toEqual([]);
    await application.close();
  });
});

describe('the handle of a log handler', () => {
  it('seeks, and shows what it owns', async () => {
    // given
    const { application, handle, inbox } = await running('log');
    await handled(inbox, application, 'log', 1);
    await handled(inbox, application, 'log', 2);
    expect(handle.assignment).toMatchObject([{ topic: 'work', partition: 0, isPaused: false }]);
    // when
    await handle.seek({ topic: 'work', partition: 0 }, 'earliest');
    // then
    await waitFor(() => inbox.ended.length === 4, { what: 'both records again' });
    expect(inbox.ended).toEqual([1, 2, 1, 2]);
    await application.close();
  });
});

describe('the handle of a queue handler', () => {
  it('has neither offsets nor partitions', async () => {
    // given
    const { application, handle } = await running('queue');
    const partition = { topic: 'work', partition: 0 };
    // then
    await expect(handle.seek(partition, 0)).rejects.toThrow(OptionsError);
    await expect(handle.pause([partition])).rejects.toThrow(OptionsError);
    await application.close();
  });
});
