import { expect } from '@jest/globals';
import { waitFor } from '@millrace/testing';
import type { Type } from '@nestjs/common';
import type { Desk } from '../desk.js';
import type { Scenes } from '../scene.js';

/** Blocks about topics and groups. */
export const logScenes: Scenes = {
  'docs/concepts.md#1': {
    before: declareOrders,
    async check(desk, of) {
      await desk.application({ providers: [of<Type>('Billing')] });
      await desk.producer.send({ topic: 'orders', value: 'A1' });
      await desk.prints('order A1 is record 0 of partition 0');
    },
  },
  'docs/consumer-groups.md#1': {
    before: declareOrders,
    async meanwhile(desk) {
      await desk.producer.send({ topic: 'orders', value: 'A1' });
      await desk.called('mail.send');
    },
    async check(desk) {
      expect(await desk.called('mail.send')).toEqual(['A1', { idempotencyKey: 'orders/0/0' }]);
      expect(await desk.log.groups.lag('mails')).toMatchObject([{ lag: 0 }]);
    },
  },
  'docs/operations.md#1': {
    // Two ways to name servers. That such connections find them is tested beside the connection.
    async check() {},
  },
  'docs/operations.md#2': {
    async check({ broker, log }) {
      expect([broker.events.has('background-error'), log.events.has('batch-unreadable')]).toEqual([true, true]);
    },
  },
  'docs/ordering-and-concurrency.md#1': {
    async before(desk) {
      await desk.log.declareTopic({ name: 'positions' });
      const map = await desk.serve((request, response) => {
        desk.calls.push([request.method, request.url]);
        response.end();
      });
      desk.replaces('http://map.internal', map);
    },
    async check(desk, of) {
      await desk.application({ providers: [of<Type>('Tracking')] });
      await desk.producer.send({ topic: 'positions', key: 'cab-7', value: { lat: 1, lon: 2 } });
      expect(await desk.called('PUT')).toEqual(['/cabs/cab-7']);
    },
  },
  'docs/retries-and-dead-letters.md#1': {
    before: declareOrders,
    async check(desk) {
      await desk.startConsumers();
      await desk.producer.send({ topic: 'orders', value: 'A1' });
      await deadLetterOf(desk, 'orders');
      // The rule for this error is: none of the five retries.
      expect(desk.calls).toEqual([['handler']]);
    },
  },
  'docs/retries-and-dead-letters.md#2': {
    async before(desk) {
      // The page sends one of partition 2 back.
      await desk.log.declareTopic({ name: 'orders', partitions: 3 });
      const handler = () => Promise.reject(new Error('no'));
      const consumer = desk.log.consumer({ group: 'mails', topics: 'orders', retry: false, handler });
      await consumer.start();
      await desk.producer.send({ topic: 'orders', partition: 0, value: 'A1' });
      await deadLetterOf(desk, 'orders');
      await consumer.stop();
    },
    // Only once, however often it is asked for.
    check: async ({ log }) => expect(await log.endOffset('orders', 0)).toBe(2),
  },
  'docs/topics.md#1': {
    async check(desk, of) {
      desk.closes(of('log'));
      expect(await desk.log.describeTopic('orders')).toMatchObject({ compression: 'brotli', partitions: 12 });
    },
  },
  'docs/topics.md#2': {
    async before(desk) {
      await declareOrders(desk);
      await desk.producer.send({ topic: 'orders', value: 'before that', timestamp: 1 });
      await desk.producer.send({ topic: 'orders', value: 'since then' });
    },
    check: async ({ printed }) => expect(printed).toEqual(['1 since then']),
  },
};

function declareOrders({ log }: Desk): Promise<unknown> {
  return log.declareTopic({ name: 'orders' });
}

function deadLetterOf({ log }: Desk, topic: string): Promise<unknown> {
  return waitFor(() => log.endOffset(`${topic}.dead-letters`, 0), { what: `a dead letter of ${topic}` });
}
