import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { become, copyOf } from '../history.js';
import { openBroker, ownPrefix } from './broker.js';

type Client = ReturnType<RedisServer['client']>;

describe('after a failover to a replica that did not know what had been acknowledged', () => {
  let server: RedisServer;
  let admin: Client;
  beforeAll(async () => {
    server = await startRedis();
    admin = server.client();
  });
  afterAll(stopEverything);

  /** A consumer that has acknowledged two messages which the copy still has down as its own. */
  async function twoAcknowledged() {
    const prefix = ownPrefix();
    const { broker, connection, close } = await openBroker(server, prefix);
    await broker.declareQueue({ name: 'work' });
    const handled: unknown[] = [];
    const ends: (() => void)[] = [];
    const handler = (value: unknown): Promise<void> =>
      new Promise<void>((resolve) => ends.push(resolve)).then(() => void handled.push(value));
    const consumer = broker.consumer({ queue: 'work', prefetch: 2, concurrency: 2, leaseMs: 1500, handler });
    await consumer.start();
    await broker.sendToQueue('work', 0);
    await broker.sendToQueue('work', 1);
    await waitFor(() => ends.length === 2, { what: 'both to begin' });
    const copy = await copyOf(admin, `${prefix}:{queue:work}*`);
    for (const end of ends.splice(0)) end();
    const counts = () => broker.queue('work').counts();
    await waitFor(async () => (await counts()).unacked === 0, { what: 'both to be acknowledged' });
    return { prefix, broker, connection, close, consumer, handled, ends, copy, counts };
  }

  it('an idle consumer handles those again: they are not held by it for ever', async () => {
    // given
    const { close, consumer, handled, ends, copy, counts } = await twoAcknowledged();

    // when
    await become(admin, copy);

    // then they come again, and go
    await waitFor(() => ends.length === 2, { what: 'both to begin again' });
    for (const end of ends.splice(0)) end();
    await waitFor(async () => (await counts()).unacked === 0, { what: 'both to be acknowledged again' });
    expect(handled.toSorted()).toEqual([0, 0, 1, 1]);
    await consumer.stop();
    await close();
  });

  it('a busy consumer never holds more than its prefetch', async () => {
    // given more messages, which are published after the copy takes over
    const { prefix, broker, connection, close, consumer, handled, ends, copy, counts } = await twoAcknowledged();

    // when they come before the consumer knows
    await become(admin, copy);
    await Promise.all([2, 3, 4, 5].map((value) => broker.sendToQueue('work', value)));

    // then all are handled, two at a time
    const held = new Set<number>();
    const look = async (): Promise<boolean> => {
      held.add(Number(await connection.commands.scard(`${prefix}:{queue:work}:unacked:${consumer.status.consumer}`)));
      for (const end of ends.splice(0)) end();
      return handled.includes(5) && (await counts()).ready + (await counts()).unacked === 0;
    };
    await waitFor(look, { what: 'the rest to be handled', intervalMs: 1 });
    expect(Math.max(...held)).toBe(2);
    await consumer.stop();
    await close();
  });

  it('lets go of an entry that it holds and whose message is gone', async () => {
    // given an id that no message has
    const { prefix, connection, close, consumer, ends, handled, broker, counts } = await twoAcknowledged();
    await connection.commands.sadd(`${prefix}:{queue:work}:unacked:${consumer.status.consumer}`, 'no-message');

    // when
    await broker.sendToQueue('work', 'next');

    // then it is gone, and work goes on
    await waitFor(() => ends.length === 1, { what: 'the next to begin' });
    for (const end of ends.splice(0)) end();
    await waitFor(async () => (await counts()).unacked === 0, { what: 'nothing to be held' });
    expect(handled).toContain('next');
    await consumer.stop();
    await close();
  });

  it('a consumer deletes nothing that is not its own any more', async () => {
    // given a message that waited when the copy was made, and is held now
    const prefix = ownPrefix();
    const { broker, connection, close } = await openBroker(server, prefix);
    await broker.declareQueue({ name: 'work' });
    const ends: (() => void)[] = [];
    const handler = (): Promise<void> => new Promise((resolve) => ends.push(resolve));
    const consumer = broker.consumer({ queue: 'work', prefetch: 2, concurrency: 2, handler });
    await consumer.start();
    await broker.sendToQueue('work', 'earlier');
    await waitFor(() => ends.length === 1, { what: 'one to be held all the time' });
    await broker.queue('work').pause();
    await broker.sendToQueue('work', 'm');
    const copy = await copyOf(admin, `${prefix}:{queue:work}*`);
    await broker.queue('work').resume();
    await waitFor(() => ends.length === 2, { what: 'it to be held' });

    // when
    const lost = new Promise<void>((resolve) => broker.events.once('lease-lost', () => resolve()));
    await become(admin, copy);
    ends[1]?.();
    await lost;

    // then it still waits
    expect(await broker.queue('work').counts()).toMatchObject({ ready: 1, unacked: 1 });
    expect(await connection.commands.hlen(`${prefix}:{queue:work}:messages`)).toBe(2);
    ends[0]?.();
    await consumer.stop({ deadlineMs: 100 });
    await close();
  });

  it('what is not its own any more keeps nothing that is from ending', async () => {
    // given a message that waited when the copy was made, and is held now beside two that were held all the time
    const prefix = ownPrefix();
    const { broker, connection, close } = await openBroker(server, prefix);
    await broker.declareQueue({ name: 'work' });
    const ends: (() => void)[] = [];
    const handler = (): Promise<void> => new Promise((resolve) => ends.push(resolve));
    const consumer = broker.consumer({ queue: 'work', prefetch: 3, concurrency: 3, handler });
    await consumer.start();
    for (const body of ['first', 'second']) await broker.sendToQueue('work', body);
    await waitFor(() => ends.length === 2, { what: 'two to be held all the time' });
    await broker.queue('work').pause();
    await broker.sendToQueue('work', 'm');
    const copy = await copyOf(admin, `${prefix}:{queue:work}*`);
    await broker.queue('work').resume();
    await waitFor(() => ends.length === 3, { what: 'it to be held' });

    // when there were turns since Redis lost writes, and it ends together with another
    await become(admin, copy);
    const unacked = async (count: number) => (await broker.queue('work').counts()).unacked === count;
    ends[0]?.();
    await waitFor(() => unacked(1), { what: 'the first to be acknowledged' });
    ends[1]?.();
    ends[2]?.();

    // then the other has gone, and it waits
    await waitFor(() => unacked(0), { what: 'the second to be acknowledged' });
    expect((await broker.queue('work').counts()).ready).toBe(1);
    expect(await connection.commands.hlen(`${prefix}:{queue:work}:messages`)).toBe(1);
    await consumer.stop({ deadlineMs: 100 });
    await close();
  });

  it('nor what an operator removed while it was held', async () => {
    // given
    const prefix = ownPrefix();
    const { broker, connection, close } = await openBroker(server, prefix);
    await broker.declareQueue({ name: 'work' });
    let end = (): void => undefined;
    const handler = (): Promise<void> =>
      new Promise((resolve) => {
        end = resolve;
      });
    const consumer = broker.consumer({ queue: 'work', handler });
    await consumer.start();
    await broker.sendToQueue('work', 'm', { messageId: 'm' });
    const unacked = () => `${prefix}:{queue:work}:unacked:${consumer.status.consumer}`;
    await waitFor(async () => (await admin.scard(unacked())) === 1, { what: 'it to be held' });

    // when
    const lost = new Promise<void>((resolve) => broker.events.once('lease-lost', () => resolve()));
    const [entry = ''] = await admin.smembers(unacked());
    await admin.srem(unacked(), entry);
    end();
    await lost;

    // then
    expect(await connection.commands.hexists(`${prefix}:{queue:work}:messages`, entry)).toBe(1);
    await consumer.stop();
    await close();
  });
});
