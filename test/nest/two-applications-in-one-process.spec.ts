import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { InjectMillrace, LogHandler, Millrace, MillraceModule, QueueHandler } from '@millrace/nestjs';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { Injectable } from '@nestjs/common';
import { connectionTo, startApplication } from './application.js';
import { channels, channelsModule, send } from './channels.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(stopEverything);

@Injectable()
class Inbox {
  readonly got: unknown[] = [];

  @QueueHandler({ queue: 'work' })
  @LogHandler({ topic: 'work', group: 'inbox' })
  onMessage(payload: unknown): void {
    this.got.push(payload);
  }
}

describe('two applications in one process', () => {
  it.each(channels)(
    'have each their own messages of a %s, and one goes on when the other is closed',
    async (channel) => {
      // given
      const metadata = { imports: [channelsModule()], providers: [Inbox] };
      const first = await startApplication(connectionTo(redis), metadata);
      const second = await startApplication(connectionTo(redis), metadata);
      // when
      await send(first, channel, 'to the first');
      await send(second, channel, 'to the second');
      await waitFor(() => first.get(Inbox).got.length > 0, { what: 'the first message' });
      await first.close();
      await send(second, channel, 'once more');
      await waitFor(() => second.get(Inbox).got.length === 2, { what: 'both messages of the second' });
      // then
      expect(first.get(Inbox).got).toEqual(['to the first']);
      expect(second.get(Inbox).got.sort()).toEqual(['once more', 'to the second']);
      await second.close();
    },
  );
});

@Injectable()
class Auditor {
  readonly got: string[] = [];

  constructor(
    readonly main: Millrace,
    @InjectMillrace('audit') readonly audit: Millrace,
  ) {}

  @QueueHandler({ queue: 'entries' })
  onMain(text: string): void {
    this.got.push(`main: ${text}`);
  }

  @QueueHandler({ queue: 'entries', connection: 'audit' })
  onAudit(text: string): void {
    this.got.push(`audit: ${text}`);
  }
}

describe('two connections of one application', () => {
  it('have each their own topology, handlers and publishers', async () => {
    // given
    const application = await startApplication(connectionTo(redis), {
      imports: [
        MillraceModule.forRootAsync({ name: 'audit', useFactory: () => connectionTo(redis) }),
        MillraceModule.forFeature({ queues: ['entries'] }),
        MillraceModule.forFeature({ connection: 'audit', queues: ['entries'] }),
      ],
      providers: [Auditor],
    });
    const auditor = application.get(Auditor);
    // when
    await auditor.main.broker.sendToQueue('entries', 'a');
    await auditor.audit.broker.sendToQueue('entries', 'b');
    await waitFor(() => auditor.got.length === 2, { what: 'both entries' });
    // then
    expect(auditor.got.sort()).toEqual(['audit: b', 'main: a']);
    await application.close();
    expect([auditor.main.state, auditor.audit.state]).toEqual(['closed', 'closed']);
  });

  it('of the same name stop the start', async () => {
    // given
    const imports = [MillraceModule.forRoot(connectionTo(redis))];
    // when
    const start = startApplication(connectionTo(redis), { imports });
    // then
    await expect(start).rejects.toThrow('two forRoot make a connection named "default": give each its own name');
  });
});
