import { expect } from '@jest/globals';
import type { Receipt } from '@millrace/queue';
import { waitFor } from '@millrace/testing';
import type { Type } from '@nestjs/common';
import type { Desk } from '../desk.js';
import type { Scenes } from '../scene.js';

/** Blocks about exchanges, queues and requests. */
export const queueScenes: Scenes = {
  'docs/concepts.md#2': {
    before: declareEvents,
    async check(desk, of) {
      await desk.application({ providers: [of<Type>('Mailer')] });
      await desk.broker.publish('events', 'order.created', 'A1');
      await desk.prints('order.created A1');
    },
  },
  'docs/queue-consumers.md#1': {
    before: ({ broker }) => broker.declareQueue({ name: 'mails' }),
    async meanwhile(desk) {
      await desk.broker.sendToQueue('mails', 'A1');
      await desk.called('send');
    },
    async check(desk) {
      expect(await desk.called('send')).toEqual(['A1', { signal: expect.any(AbortSignal) }]);
      expect(await desk.broker.queue('mails').counts()).toMatchObject({ ready: 0, unacked: 0, consumers: 0 });
    },
  },
  'docs/queue-consumers.md#2': {
    async before(desk) {
      await declareEvents(desk);
      await desk.broker.declareQueue({ name: 'events' });
      await desk.broker.bind({ exchange: 'events', queue: 'events', routingKey: '#' });
    },
    async check(desk) {
      await desk.startConsumers();
      await desk.broker.publish('events', 'order.paid', 'A1');
      await desk.broker.publish('events', 'unknown.key', 'A2');
      await Promise.all([desk.called('onOrder'), desk.called('onPaid')]);
      const parked = async () => (await desk.broker.queue('events').counts()).parked === 1;
      await waitFor(parked, { what: 'the message that no handler is for to be parked' });
      expect(desk.calls).toHaveLength(2);
    },
  },
  'docs/queue-consumers.md#3': {
    before: ({ broker }) => broker.declareQueue({ name: 'rows' }),
    async check(desk) {
      await desk.broker.publishBatch([1, 2].map((body) => ({ routingKey: 'rows', body, exchange: '' })));
      await desk.startConsumers();
      expect(await desk.called('insert')).toEqual([[1, 2]]);
    },
  },
  'docs/queue-consumers.md#4': {
    async before({ broker }) {
      await broker.declareQueue({ name: 'mails' });
      await broker.sendToQueue('mails', 'A1', { messageId: 'the-id' });
    },
    async check({ broker }) {
      expect(await broker.queue('mails').message('the-id')).toBeUndefined();
      const counts = Object.keys(await broker.queue('mails').counts());
      expect(counts.sort()).toEqual(['completed', 'consumers', 'delayed', 'dying', 'parked', 'ready', 'unacked']);
    },
  },
  'docs/queue-consumers.md#5': {
    async before({ broker }) {
      await broker.declareQueue({ name: 'invoices', keepCompleted: { count: 1000, ageMs: 86_400_000 } });
      const consumer = broker.consumer({ queue: 'invoices', handler: () => 'paid' });
      await consumer.start();
      await broker.sendToQueue('invoices', 'A1', { messageId: 'the-id' });
      const isKept = async () => (await broker.queue('invoices').counts()).completed === 1;
      await waitFor(isKept, { what: 'the message to be completed' });
      await consumer.stop();
    },
    async check({ broker, printed }) {
      expect(printed[0]).toBe('the-id A1 paid 1');
      expect(printed[1]).toMatch(/^\d+ \d+ \d+$/);
      expect(await broker.queue('invoices').counts()).toMatchObject({ completed: 0 });
    },
  },
  'docs/retries-and-dead-letters.md#3': {
    async before({ broker }) {
      await broker.declareQueue({ name: 'mails' });
      const handler = () => Promise.reject(new Error('no'));
      const consumer = broker.consumer({ queue: 'mails', retry: false, handler });
      await consumer.start();
      await broker.sendToQueue('mails', { id: 'A1' });
      const isDead = async () => (await broker.queue('mails.dead-letters').counts()).ready === 1;
      await waitFor(isDead, { what: 'the dead letter' });
      await consumer.stop();
    },
    async check({ broker, printed }) {
      expect(printed).toEqual([expect.stringMatching(/^failed \{.*'no'/s)]);
      const { messages } = await broker.queue('mails').ready();
      expect(messages.map((message) => message.payload())).toEqual([{ id: 'A1', isMended: true }]);
    },
  },
  'docs/rpc.md#1': {
    before: ({ broker }) => broker.declareQueue({ name: 'prices' }),
    check: async (_, of) => expect(of('price')).toBe(200),
  },
  'docs/rpc.md#2': {
    before: ({ broker }) => broker.declareQueue({ name: 'orders' }),
    check: async ({ printed }) => expect(printed).toEqual(["{ sku: 'A1', left: 0 }"]),
  },
  'docs/rpc.md#3': {
    before: ({ broker }) => broker.declareQueue({ name: 'rows' }),
    check: async ({ printed }) => expect(printed).toEqual(['{ id: 1 }', '{ id: 2 }', '{ id: 3 }']),
  },
  'docs/rpc.md#4': {
    before: ({ broker }) => broker.declare({ queues: [{ name: 'prices' }, { name: 'prices.replies' }] }),
    check: async ({ broker }) => {
      await broker.sendToQueue('prices', {}, { replyTo: 'prices.replies' });
      await waitFor(async () => (await broker.queue('prices.replies').counts()).ready === 1, { what: 'the reply' });
    },
  },
  'docs/topology.md#1': {
    check: async (_, of) => expect(of<Receipt>('receipt').queues).toEqual(['mail']),
  },
};

function declareEvents({ broker }: Desk): Promise<unknown> {
  return broker.declareExchange({ name: 'events', type: 'topic' });
}
