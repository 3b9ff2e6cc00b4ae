import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Redis } from '@millrace/redis';
import { type FaultProxy, type RedisServer, startProxy, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { consumerKeys } from '../../libs/queue/src/store/consumer-keys.js';
import { Outbox } from '../../libs/queue/src/turns/outbox.js';
import { Reconciliation } from '../../libs/queue/src/turns/reconciliation.js';
import { TurnNumbers } from '../../libs/queue/src/turns/turn-numbers.js';
import { onOneServer } from '../one-server.js';
import { type OpenBroker, openBroker, ownPrefix } from './broker.js';

const count = 6000;
const marker = 'the one that is cut';

onOneServer('proxy').describe('a consumer of a queue where many messages wait', () => {
  let server: RedisServer;
  let proxy: FaultProxy;
  beforeAll(async () => {
    server = await startRedis();
    proxy = await startProxy(server);
  });
  afterAll(stopEverything);

  /** A queue in which `count` messages wait, one of them with the marker as its id. */
  async function backlog(prefix = ownPrefix()): Promise<OpenBroker> {
    const open = await openBroker({ connection: { url: `redis://127.0.0.1:${proxy.port}` } }, prefix);
    await open.broker.declareQueue({ name: 'work' });
    for (let first = 0; first < count; first += 500) {
      const bodies = Array.from({ length: 500 }, (_, index) => first + index);
      await open.broker.publishBatch(
        bodies.map((body) => ({
          exchange: '',
          routingKey: 'work',
          body,
          properties: body === 4000 ? { messageId: marker } : undefined,
        })),
      );
    }
    return open;
  }

  it('has two turns under way, so that Redis works while a reply is read', async () => {
    // given
    const { broker, connection, close } = await backlog();
    const client = connection.commands;
    let [handled, withTwo] = [0, 0];
    const handler = (): void => {
      handled++;
      if (client instanceof Redis && client.commandQueue.length > 1) withTwo++;
    };
    // when
    await broker.consumer({ queue: 'work', handler }).start();
    await waitFor(async () => handled === count && (await broker.queue('work').counts()).unacked === 0, {
      what: 'all to be settled',
    });
    // then
    expect(withTwo).toBeGreaterThan(count / 10);
    await close();
  });

  it('handles each once and in order, though both replies are lost', async () => {
    // given
    const prefix = ownPrefix();
    const { broker, close } = await backlog(prefix);
    const entry = await server.client().hget(`${prefix}:{queue:work}:ids`, marker);
    const handled: number[] = [];
    const losses: unknown[] = [];
    broker.events.on('lease-lost', (loss) => losses.push(loss));
    // when the turn that acknowledges one of them is carried out, and its reply lost with all that was under way
    const cut = proxy.cutBeforeReply(String(entry));
    await broker.consumer({ queue: 'work', handler: (body) => void handled.push(body as number) }).start();
    await cut;
    // then
    await waitFor(
      async () => {
        const { ready, unacked } = await broker.queue('work').counts();
        return handled.length >= count && ready + unacked === 0;
      },
      { what: 'all to be settled' },
    );
    expect(handled).toEqual(Array.from({ length: count }, (_, body) => body));
    expect(losses).toEqual([]);
    await close();
  });

  it('counts on none before, until all that may have been carried out has its reply', async () => {
    // given a turn that failed with two acknowledgements
    const { connection, close } = await openBroker(server, ownPrefix());
    const [outbox, numbers] = [new Outbox(), new TurnNumbers()];
    const nothingHeld = { ids: () => new Set<string>(), count: 0, take: () => undefined };
    const reconciliation = new Reconciliation(nothingHeld, outbox, numbers);
    for (const id of ['a', 'b']) outbox.acknowledge(id);
    numbers.next();
    reconciliation.require();
    await reconciliation.reconcile(connection.commands, consumerKeys(connection.prefix, 'work', 'me', 1), () => true);
    // when the turns after it bring one each
    const turns = [1, 1, 0].map((acknowledgements) => {
      const number = numbers.next();
      outbox.confirmed(outbox.batch({ claims: 0, acknowledgements, sent: 0, settleCommands: 0 }));
      reconciliation.answered();
      return number;
    });
    // then only the one after both names the one before it
    expect(turns.map(({ before }) => before)).toEqual(['', '', turns[1]?.own]);
    await close();
  });
});
