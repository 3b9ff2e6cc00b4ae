import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { OptionsError } from '@millrace/core';
import { Consumers, Millrace, MillraceModule, QueueHandler } from '@millrace/nestjs';
import { type RedisServer, startRedis, stopEverything } from '@millrace/testing';
import { Injectable, Module, type OnModuleInit } from '@nestjs/common';
import { LazyModuleLoader } from '@nestjs/core';
import { connectionTo, createApplication, startApplication } from './application.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(stopEverything);

@Module({
  imports: [
    MillraceModule.forFeature({
      queues: [{ name: 'emails', maxLength: 10 }],
      exchanges: [{ name: 'events', type: 'topic' }],
      topics: [{ name: 'orders', partitions: 4 }],
    }),
  ],
})
class MailModule {}

@Module({
  imports: [
    MillraceModule.forFeature({
      queues: [{ name: 'emails', maxLength: 20 }],
      exchanges: [{ name: 'events', type: 'direct' }],
      topics: [{ name: 'orders', partitions: 8 }],
    }),
  ],
})
class ShopModule {}

@Module({
  imports: [MillraceModule.forFeature({ queues: [{ name: 'emails', maxLength: 10, overflow: 'drop-head' }] })],
})
class SameModule {}

async function problemsOf(start: Promise<unknown>): Promise<readonly string[]> {
  const error = await start.then(
    () => new Error('it started'),
    (reason: unknown) => reason,
  );
  if (error instanceof OptionsError) return error.problems;
  throw error;
}

describe('what two modules declare', () => {
  it.each(['refuse', 'apply'] as const)(
    'differently is refused at the first start with both places, and nothing is declared (onTopologyChange: %s)',
    async (onTopologyChange) => {
      // given
      const options = connectionTo(redis, { onTopologyChange });
      const application = await createApplication(options, { imports: [MailModule, ShopModule] });
      // when
      const problems = await problemsOf(application.init());
      // then
      const places = 'is declared by forFeature of MailModule and by forFeature of ShopModule differently';
      expect(problems).toEqual([
        expect.stringMatching(`topic "orders" ${places} \\(partitions: 4 and 8\\).*onTopologyChange: 'apply'`),
        expect.stringMatching(
          `exchange "events" ${places} \\(type: "topic" and "direct"\\).*onTopologyChange: 'apply'`,
        ),
        expect.stringMatching(`queue "emails" ${places} \\(maxLength: 10 and 20\\).*onTopologyChange: 'apply'`),
      ]);
      await application.close();
      const after = await startApplication({ ...options, connection: options.connection });
      const { broker, log } = after.get(Millrace);
      expect(await log.listTopics()).toEqual([]);
      const neither = { exchanges: [{ name: 'events', type: 'fanout' as const }], queues: [{ name: 'emails' }] };
      expect((await broker.plan(neither)).map(({ action }) => action)).toEqual(['create', 'create']);
      await after.close();
    },
  );

  it('differently from forRoot, or from a handler, is refused too', async () => {
    // given
    @Injectable()
    class Mailer {
      @QueueHandler({ queue: { name: 'emails', maxLength: 30 } })
      onMail(): void {}
    }
    const fromRoot = connectionTo(redis, { queues: ['emails'] });
    const wrongRoot = await createApplication(fromRoot, { imports: [MailModule] });
    const wrongHandler = await createApplication(connectionTo(redis), { imports: [MailModule], providers: [Mailer] });
    // when
    const [root] = await problemsOf(wrongRoot.init());
    const [handler] = await problemsOf(wrongHandler.init());
    // then
    expect(root).toMatch('queue "emails" is declared by forRoot and by forFeature of MailModule differently');
    expect(handler).toMatch('queue "emails" is declared by forFeature of MailModule and by Mailer.onMail differently');
    await Promise.all([wrongRoot.close(), wrongHandler.close()]);
  });

  it('differently is refused without Redis too, by an application that does not wait for it', async () => {
    // given
    let hasBegun = false;
    @Injectable()
    class OwnCode implements OnModuleInit {
      onModuleInit(): void {
        hasBegun = true;
      }
    }
    const options = { ...connectionTo({ url: 'redis://127.0.0.1:1' }), waitForRedis: 'background' } as const;
    const metadata = { imports: [MailModule, ShopModule], providers: [OwnCode] };
    const application = await createApplication(options, metadata);
    // when
    const problems = await problemsOf(application.init());
    // then no other hook ran, as with Redis
    expect(problems).toHaveLength(3);
    expect(hasBegun).toBe(false);
    await application.close();
  });

  it('differently from a handler is refused when it is loaded later, and nothing is changed', async () => {
    // given
    @Injectable()
    class Mailer {
      @QueueHandler({ queue: { name: 'emails', maxLength: 30 } })
      onMail(): void {}
    }
    @Injectable()
    class LateMailer {
      @QueueHandler({
        queue: { name: 'letters' },
        bind: [{ exchange: { name: 'post', type: 'direct', messages: {} } }],
      })
      onLetter(): void {}
    }
    @Module({ providers: [LateMailer] })
    class LateModule {}
    @Injectable()
    class Poster {
      @QueueHandler({ queue: { name: 'stamps' }, bind: [{ exchange: { name: 'post', type: 'fanout', messages: {} } }] })
      onStamp(): void {}
    }
    const options = connectionTo(redis, { onTopologyChange: 'apply' });
    const application = await startApplication(options, { providers: [Mailer, Poster] });
    const loader = application.get(LazyModuleLoader);
    // when
    const fromModule = await problemsOf(loader.load(() => MailModule));
    await loader.load(() => LateModule);
    const fromHandler = await problemsOf(application.get(Consumers).discover());
    // then
    expect(fromModule).toEqual([
      expect.stringMatching('queue "emails" is declared by Mailer.onMail and by forFeature of MailModule differently'),
    ]);
    expect(fromHandler).toEqual([
      expect.stringMatching('exchange "post" is declared by Poster.onStamp and by LateMailer.onLetter differently'),
    ]);
    expect(application.get(Consumers).find('LateMailer.onLetter')).toBeUndefined();
    const kept = {
      queues: [{ name: 'emails', maxLength: 30 }],
      exchanges: [{ name: 'post', type: 'fanout' as const }],
    };
    expect(await application.get(Millrace).broker.plan(kept)).toEqual([]);
    await application.close();
  });

  it('alike is fine', async () => {
    // when
    const application = await startApplication(connectionTo(redis), { imports: [MailModule, SameModule] });
    // then
    expect(application.get(Millrace).state).toBe('ready');
    await application.close();
  });

  it('differently from what Redis has is refused with every difference, and what to do', async () => {
    // given
    const options = connectionTo(redis);
    await (await startApplication(options, { imports: [MailModule] })).close();
    const second = await createApplication(options, { imports: [ShopModule] });
    // when
    const problems = await problemsOf(second.init());
    // then
    expect(problems).toEqual([
      expect.stringMatching(/topic "orders".*partitions: 4 → 8.*onTopologyChange: 'apply'/),
      expect.stringMatching(/exchange "events".*type: "topic" → "direct".*onTopologyChange: 'apply'/),
    ]);
    await second.close();
  });

  it('twice in one definition, without Nest, is refused as well', async () => {
    // given
    const application = await startApplication(connectionTo(redis));
    const { broker } = application.get(Millrace);
    // when
    const declaring = broker.declare({ queues: [{ name: 'q' }, { name: 'q', maxLength: 1 }] });
    // then
    await expect(declaring).rejects.toMatchObject({
      problems: ['queue "q" is declared twice, with another maxLength each time: declare it once'],
    });
    await application.close();
  });
});
