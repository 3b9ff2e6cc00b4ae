import { afterAll, beforeAll, it } from '@jest/globals';
import { Events } from '@millrace/delivery';
import { Broker } from '@millrace/queue';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { expectNothingLeftBy } from '../footprint.js';
import { onOneServer } from '../one-server.js';
import { openBroker, ownPrefix } from './broker.js';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(stopEverything);

onOneServer('handles').describe('a broker', () => {
  it('leaves nothing behind of a consumer that was started, has handled and was stopped', async () => {
    const { broker, connection, close } = await openBroker(server, ownPrefix());
    await broker.declareQueue({ name: 'q' });
    const life = async (): Promise<void> => {
      let handled = 0;
      const consumer = broker.consumer({ queue: 'q', handler: () => void handled++ });
      await consumer.start();
      await broker.sendToQueue('q', 1);
      await broker.sendToQueue('q', 1, { delayMs: 1 });
      await waitFor(() => handled === 2, { what: 'both messages' });
      await consumer.stop();
    };
    await expectNothingLeftBy(life, {
      admin: server.client(),
      emitters: [connection, connection.commands, broker.events],
    });
    await close();
  });

  it('leaves nothing behind of requests: answered, streamed, left early, timed out and aborted', async () => {
    const prefix = ownPrefix();
    const { broker, connection, close } = await openBroker(server, prefix);
    await broker.declare({ queues: ['q', 'unattended'].map((name) => ({ name })) });
    const handler = (payload: unknown): unknown => (payload === 'stream' ? rows() : payload);
    await broker.consumer({ queue: 'q', handler }).start();
    const unattended = async (count: number): Promise<unknown> =>
      waitFor(async () => (await broker.queue('unattended').counts()).ready === count, {
        what: `${count} unanswered requests`,
      });
    const life = async (): Promise<void> => {
      await broker.request('', 'q', 'one');
      for await (const _row of broker.requestStream('', 'q', 'stream'));
      for await (const _row of broker.requestStream('', 'q', 'stream')) break;
      await broker.request('', 'unattended', 1, { timeoutMs: 1 }).catch(() => undefined);
      await unattended(0);
      const abort = new AbortController();
      const asked = broker.request('', 'unattended', 1, { signal: abort.signal }).catch(() => undefined);
      await unattended(1);
      abort.abort();
      await asked;
      await unattended(0);
    };
    await expectNothingLeftBy(life, {
      admin: server.client(),
      emitters: [connection, connection.commands, broker.events],
    });
    const [consumed] = await server.client().keys(`${prefix}:*:consumed`);
    await waitFor(async () => (await server.client().hlen(consumed ?? '')) === 0, {
      what: 'the streams to be forgotten',
    });
    await close();
  });

  it('leaves nothing behind when it is closed, and its connection goes on', async () => {
    const { connection, close } = await openBroker(server, ownPrefix());
    const life = async (): Promise<void> => {
      const broker = new Broker(connection);
      await broker.declareQueue({ name: 'q' });
      await broker.consumer({ queue: 'q', handler: (payload) => payload }).start();
      await broker.request('', 'q', 1);
      await broker.close();
    };
    await expectNothingLeftBy(life, { admin: server.client(), emitters: [connection, connection.commands] });
    await close();
  });

  it('leaves nothing behind when it is closed, with its connection', async () => {
    const events = new Events();
    const prefix = ownPrefix();
    const life = async (): Promise<void> => {
      const { broker, close } = await openBroker(server, prefix, { events });
      await broker.declareQueue({ name: 'q' });
      await broker.consumer({ queue: 'q', handler: (payload) => payload }).start();
      await broker.request('', 'q', 1);
      await close();
    };
    await expectNothingLeftBy(life, { admin: server.client(), emitters: [events] });
  });
});

async function* rows(): AsyncGenerator<number> {
  for (let n = 0; n < 10; n++) yield n;
}
