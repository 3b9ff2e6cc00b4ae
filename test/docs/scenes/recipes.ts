import { expect } from '@jest/globals';
import { Consumers, Millrace, MillraceModule } from '@millrace/nestjs';
import { waitFor } from '@millrace/testing';
import type { Type } from '@nestjs/common';
import type { Desk } from '../desk.js';
import type { Scenes } from '../scene.js';
import { LedgerDatabase, ResizedDatabase, ShopDatabase } from './databases.js';

const dayMs = 86_400_000;

/** `docs/recipes/`. */
export const recipeScenes: Scenes = {
  'docs/recipes/databases.md#1': {
    async check(desk, of) {
      const database = new ShopDatabase();
      await desk.broker.declare({
        exchanges: [{ name: 'shop', type: 'topic' }],
        queues: [{ name: 'seen' }],
        bindings: [{ exchange: 'shop', queue: 'seen', routingKey: '#' }],
      });
      const module = withDatabase(of('OutboxModule'), database);
      const application = await desk.application({ imports: [module] });
      const outbox = application.get<Outbox>(of<Type>('Outbox'));
      await outbox.add(database, 'order-1', 'order.placed', { id: 1 });
      await counts(desk, 'seen', { ready: 1 });
      await waitFor(() => database.rows.length === 0, { what: 'the row to be deleted' });
    },
  },
  'docs/recipes/databases.md#2': {
    async check(desk, of) {
      const database = new LedgerDatabase();
      await desk.application({ imports: [withDatabase(of('LedgerModule'), database)] });
      // The same message after its id was forgotten, and a record.
      const send = () => desk.broker.sendToQueue('payments', { account: 'a', cents: 5 }, { messageId: 'payment-1' });
      await desk.broker.declareQueue({ name: 'payments', deduplicationWindowMs: 0 }, { onChange: 'apply' });
      await send();
      await waitFor(() => database.seen === 1, { what: 'the payment' });
      await counts(desk, 'payments', { ready: 0, unacked: 0 });
      await send();
      await desk.producer.send({ topic: 'refunds', value: { account: 'a', cents: 2 } });
      await waitFor(() => database.seen === 3, { what: 'all three deliveries' });
      expect(database.cents).toBe(-3);
    },
  },
  'docs/recipes/deploys.md#1': {
    async check(desk, of) {
      const application = await desk.start(of<Type>('TrackingModule'));
      const { log, producer } = application.get(Millrace);
      const { standBy, activate } = bound(application.get<Deployment>(of<Type>('Deployment')));
      await standBy();
      await producer.send({ topic: 'shipments', value: 'S1' });
      expect(await log.groups.lag('tracking')).toEqual(expect.arrayContaining([expect.objectContaining({ lag: 1 })]));
      await activate();
      await desk.prints('blue has S1');
    },
  },
  'docs/recipes/deploys.md#2': {
    async check(desk, of) {
      const yesterday = new Date(Date.now() - dayMs).setUTCHours(0, 0, 0, 0);
      await desk.log.declareTopic({ name: 'sales' });
      for (const [value, timestamp] of [['before', yesterday - 1] as const, ['then', yesterday] as const])
        await desk.producer.send({ topic: 'sales', value, timestamp });
      await desk.application({ providers: [of<Type>('FraudCheck')] });
      await desk.prints('new then');
      expect(desk.printed).toEqual(['new then']);
    },
  },
  'docs/recipes/deploys.md#3': {
    async check(desk, of) {
      await desk.log.declareTopic({ name: 'sales' });
      await desk.broker.declareQueue({ name: 'fraud-backfill' });
      const start = Math.floor(Date.now() / dayMs) * dayMs - dayMs;
      for (const timestamp of [start - 1, start]) await desk.producer.send({ topic: 'sales', value: 'S1', timestamp });
      const application = await desk.application({ providers: [of<Type>('Backfill')] });
      const day = new Date(start).toISOString().slice(0, 10);
      await application.get<{ day(day: string): Promise<void> }>(of<Type>('Backfill')).day(day);
      expect(desk.printed).toEqual([`1 of ${day}`]);
      await counts(desk, 'fraud-backfill', { ready: 1 });
    },
  },
  'docs/recipes/order.md#1': {
    async check(desk, of) {
      const application = await desk.application({ imports: [of<Type>('MailsModule')] });
      const mails = application.get<Mails>(of<Type>('Mails'));
      const receipts = await Promise.all(Array.from({ length: 20 }, (_, n) => mails.send('a', `u${n}@example.org`)));
      expect(new Set(receipts.map(({ queues }) => queues.join())).size).toBe(1);
      await waitFor(() => desk.printed.length === 20, { what: 'all mails' });
    },
  },
  'docs/recipes/order.md#2': {
    async check(desk, of) {
      const application = await desk.application({ imports: [of<Type>('PaymentsModule')] });
      const payments = application.get<Payments>(of<Type>('Payments'));
      await Promise.all([1, 2, 3].map((cents) => payments.pay('c1', cents)));
      await waitFor(() => desk.printed.length === 6, { what: 'all payments' });
      expect(desk.printed).toEqual([1, 2, 3].flatMap((cents) => [`begin c1 ${cents}`, `end c1 ${cents}`]));
    },
  },
  'docs/recipes/order.md#3': {
    async check(desk, of) {
      const application = await desk.application(
        { imports: [of<Type>('ExportsModule')] },
        { startConsumers: 'manual' },
      );
      const exported = application.get<Exports>(of<Type>('Exports'));
      await exported.someTime('low');
      for (let n = 0; n < 30; n++) await exported.now(`high ${n}`);
      await application.get(Consumers).start();
      await waitFor(() => desk.printed.length === 31, { what: 'all exports' });
      const place = desk.printed.indexOf('write low');
      expect(place).toBeGreaterThan(0);
      expect(place).toBeLessThan(15);
    },
  },
  'docs/recipes/time.md#1': {
    async check(desk, of) {
      // Two replicas.
      for (const _ of [1, 2]) await desk.application({ imports: [of<Type>('NightlyModule')] });
      const { messages } = await desk.broker.queue('nightly').delayed();
      expect(messages).toHaveLength(1);
      const { due = 0 } = { ...(messages[0]?.payload() as { due?: number } | undefined) };
      expect(new Date(due).getUTCHours()).toBe(2);
      expect(due - Date.now()).toBeLessThanOrEqual(dayMs);
      // The night has come.
      await desk.broker.sendToQueue('nightly', { due });
      await desk.prints(`report of ${new Date(due - dayMs).toISOString().slice(0, 10)}`);
      const planned = (await desk.broker.queue('nightly').delayed()).messages.map(({ messageId }) => messageId);
      expect(planned).toEqual([`nightly-${due}`, `nightly-${due + dayMs}`]);
    },
  },
  'docs/recipes/time.md#2': {
    async check(desk, of) {
      const application = await desk.application({ imports: [of<Type>('SearchModule')] });
      const index = application.get<SearchIndex>(of<Type>('SearchIndex'));
      const receipts = await Promise.all(Array.from({ length: 10 }, () => index.changed('p1')));
      const accepted = receipts.filter(({ duplicates }) => duplicates.length === 0).length;
      // Ten changes may lie on both sides of a window's end.
      expect(accepted).toBeLessThanOrEqual(2);
      await waitFor(() => desk.printed.length === accepted, { what: 'the runs' });
    },
  },
  'docs/recipes/time.md#3': {
    async before(desk) {
      const api = await desk.serve((_, response) => response.end('42 EUR'));
      desk.replaces('http://api.internal', api);
    },
    async check(desk, of) {
      const application = await desk.application({ imports: [of<Type>('AccountsModule')] });
      const accounts = application.get<Accounts>(of<Type>('Accounts'));
      await accounts.watch('A1');
      await desk.prints('A1 42 EUR');
      await counts(desk, 'polls', { ready: 0, delayed: 1 });
      expect((await accounts.watch('A1')).duplicates).toEqual(['polls']);
      await accounts.unwatch('A1');
      await counts(desk, 'polls', { ready: 0, delayed: 0 });
    },
  },
  'docs/recipes/work.md#1': {
    async check(desk, of) {
      await desk.application({ imports: [of<Type>('ReportsModule')] });
      await desk.broker.sendToQueue('reports', { regions: ['eu', 'us', 'asia'] });
      await desk.prints('sales 8');
    },
  },
  'docs/recipes/work.md#2': {
    async check(desk, of) {
      await desk.application({ imports: [withDatabase(of('AlbumsModule'), new ResizedDatabase())] });
      for (const photo of ['p1', 'p2', 'p3'])
        await desk.broker.sendToQueue('photos', { album: 'rome', photo, photos: 3 });
      await desk.prints('rome is complete');
    },
  },
  'docs/recipes/work.md#3': {
    before: async (desk) => desk.replaces('./render.js', new URL('./render.mjs', import.meta.url).href),
    async check(desk, of) {
      const queues = [{ name: 'videos', keepCompleted: { count: 10 } }];
      await desk.application({ imports: [MillraceModule.forFeature({ queues })], providers: [of<Type>('Videos')] });
      await desk.broker.sendToQueue('videos', 'V1', { messageId: 'the-id' });
      await counts(desk, 'videos', { completed: 1 });
      const result = { rendered: 'V1' };
      expect(await desk.broker.queue('videos').message('the-id')).toMatchObject({ state: 'completed', result });
    },
  },
  'docs/recipes/work.md#4': {
    async check(desk, of) {
      const application = await desk.application({ imports: [of<Type>('ScansModule')] });
      await application.get<{ add(scan: Buffer): Promise<unknown> }>(of<Type>('Scans')).add(Buffer.alloc(5_000_000));
      await desk.prints('read 5000000 bytes');
    },
  },
};

type Receipt = import('@millrace/queue').Receipt;
interface Outbox {
  add(transaction: unknown, id: string, routingKey: string, body: object): Promise<unknown>;
}
interface Deployment {
  activate(): Promise<void>;
  standBy(): Promise<void>;
}
interface Mails {
  send(tenant: string, to: string): Promise<Receipt>;
}
interface Payments {
  pay(customer: string, cents: number): Promise<unknown>;
}
interface Exports {
  now(file: string): Promise<Receipt>;
  someTime(file: string): Promise<Receipt>;
}
interface SearchIndex {
  changed(product: string): Promise<Receipt>;
}
interface Accounts {
  watch(account: string): Promise<Receipt>;
  unwatch(account: string): Promise<unknown>;
}

function bound(deployment: Deployment): Deployment {
  return { activate: () => deployment.activate(), standBy: () => deployment.standBy() };
}

/** A module of a page, beside a global one that provides the page's `Database`. */
function withDatabase(module: unknown, database: object) {
  const { Database: token } = globalThis as unknown as { Database: Type };
  const provider = { provide: token, useValue: database };
  return {
    module: class Page {},
    imports: [module as Type, { module: class Databases {}, global: true, providers: [provider], exports: [token] }],
  };
}

/** Waits until a queue counts this. */
async function counts({ broker }: Desk, queue: string, expected: Record<string, number>): Promise<void> {
  const areSo = async () => {
    const found: Record<string, unknown> = { ...(await broker.queue(queue).counts()) };
    return Object.entries(expected).every(([name, count]) => found[name] === count);
  };
  await waitFor(areSo, { what: `${queue} to count ${JSON.stringify(expected)}` });
}
