import { expect } from '@jest/globals';
import { waitFor } from '@millrace/testing';
import { BullModule } from '@nestjs/bullmq';
import type { INestMicroservice, Type } from '@nestjs/common';
import type { Desk } from '../desk.js';
import type { Scenes } from '../scene.js';
import { appModule, emits, eventsNotedOn } from './nest.js';

/** Blocks that say how something is done elsewhere, and how it is done here. */
export const neighbourScenes: Scenes = {
  'docs/migrating-from-bullmq.md#1': {
    async check(desk, of) {
      const bull = BullModule.forRoot({ connection: { url: desk.url } });
      const application = await desk.start(class Page {}, { imports: [bull, of<Type>('MailModule')] });
      await application.get<SignUp>(of<Type>('SignUp')).done('ada@example.org');
      await desk.prints('welcome ada@example.org');
    },
  },
  'docs/migrating-from-bullmq.md#2': {
    async check(desk, of) {
      const application = await desk.application({ imports: [of<Type>('MailModule')] });
      await application.get<SignUp>(of<Type>('SignUp')).done('ada@example.org');
      await desk.prints('welcome ada@example.org');
    },
  },
  'docs/migrating-from-golevelup.md#2': {
    async check(desk, of) {
      await desk.application({ imports: [of<Type>('MailModule')] });
      await desk.broker.declareQueue({ name: 'seen' });
      for (const [exchange, routingKey] of [['events', 'mail.*'] as const, ['dead', ''] as const])
        await desk.broker.bind({ exchange, queue: 'seen', routingKey });
      // when
      await desk.broker.publish('events', 'order.created', { id: 'A1' });
      await desk.broker.publish('events', 'order.created', { id: '' });
      // then
      const seen = async () => (await desk.broker.queue('seen').ready()).messages;
      await waitFor(async () => (await seen()).length === 2, { what: 'an event and a dead letter' });
      const payloads = (await seen()).map((message) => message.payload());
      expect(payloads).toEqual(expect.arrayContaining([{ id: 'A1' }, { id: '' }]));
    },
  },
  'docs/migrating-from-nest-transports.md#1': {
    // It is made and not started: what it does then is Nest's.
    check: async (desk, of) => desk.closes(of<INestMicroservice>('before')),
  },
  'docs/migrating-from-nest-transports.md#2': {
    before: async (desk) => appModule({ controllers: [eventsNotedOn(desk)] }),
    async check(desk: Desk, of) {
      const service = of<INestMicroservice>('after');
      desk.closes(service);
      await service.listen();
      await emits({ connection: { url: desk.url } });
      await desk.called('order.created');
    },
  },
};

interface SignUp {
  done(to: string): Promise<unknown>;
}
