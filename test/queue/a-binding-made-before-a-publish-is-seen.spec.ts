import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisCluster, type RedisServer, startCluster, startRedis } from '@millrace/testing';
import { commandsOf, openBroker, ownPrefix } from './broker.js';

const servers: [string, () => Promise<RedisServer | RedisCluster>][] = [
  ['one server', () => startRedis()],
  ['a cluster', () => startCluster({ replicasPerMaster: 0 })],
];

describe.each(servers)('on %s, a binding made before a publish', (_, start) => {
  let server: RedisServer | RedisCluster;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server.stop());

  it('is seen by it in every process, and one that was removed before is not', async () => {
    // given: processes that know an older topology, each of another age
    const prefix = ownPrefix();
    const declaring = await openBroker(server, prefix);
    const others = await Promise.all([1, 2, 3].map(() => openBroker(server, prefix)));
    const queues = ['old', 'new', 'late'].map((name) => ({ name }));
    await declaring.broker.declare({
      exchanges: [{ name: 'e', type: 'topic' }],
      queues,
      bindings: [{ exchange: 'e', queue: 'old', routingKey: '#' }],
    });
    for (const { broker } of others) await broker.publish('e', 'k', 'learns the topology');
    for (let round = 0; round < 20; round++) {
      // when
      await declaring.broker.bind({ exchange: 'e', queue: 'new', routingKey: 'k' });
      const withBinding = await Promise.all(others.map(({ broker }) => broker.publish('e', 'k', round)));
      await declaring.broker.unbind({ exchange: 'e', queue: 'new', routingKey: 'k' });
      const without = await Promise.all(others.map(({ broker }) => broker.publish('e', 'k', round)));
      // then
      for (const { queues: reached } of withBinding) expect([...reached].sort()).toEqual(['new', 'old']);
      for (const { queues: reached } of without) expect(reached).toEqual(['old']);
    }
    await Promise.all([declaring, ...others].map(({ close }) => close()));
  });

  it('is seen by one that was unroutable, and by one that reached only queues that did not change', async () => {
    const prefix = ownPrefix();
    const [declaring, other] = [await openBroker(server, prefix), await openBroker(server, prefix)];
    await declaring.broker.declare({
      exchanges: [{ name: 'e', type: 'fanout' }],
      queues: [{ name: 'a' }, { name: 'b' }],
    });
    expect((await other.broker.publish('e', 'k', 1)).isUnroutable).toBe(true);
    await declaring.broker.bind({ exchange: 'e', queue: 'a' });
    expect((await other.broker.publish('e', 'k', 1)).queues).toEqual(['a']);
    await declaring.broker.declare({ queues: [{ name: 'c' }], bindings: [{ exchange: 'e', queue: 'c' }] });
    expect([...(await other.broker.publish('e', 'k', 1)).queues].sort()).toEqual(['a', 'c']);
    await declaring.broker.deleteQueue('a');
    expect((await other.broker.publish('e', 'k', 1)).queues).toEqual(['c']);
    await Promise.all([declaring, other].map(({ close }) => close()));
  });

  it('costs no command of its own: a publish is one', async () => {
    const prefix = ownPrefix();
    const { broker, connection, close } = await openBroker(server, prefix);
    await broker.declare({ queues: [{ name: 'a' }] });
    await broker.sendToQueue('a', 0);
    // when
    const commands = commandsOf(connection);
    for (let n = 0; n < 10; n++) await broker.sendToQueue('a', n);
    await Promise.all(Array.from({ length: 100 }, (_, n) => broker.sendToQueue('a', n)));
    // then
    expect(commands).toEqual(new Array(11).fill('EVALSHA'));
    await close();
  });
});
