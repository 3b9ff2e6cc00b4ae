import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { TopologyNotFoundError } from '@millrace/core';
import { type RedisServer, startRedis, waitFor } from '@millrace/testing';
import { onOneServer } from '../one-server.js';
import { openBroker, ownPrefix } from './broker.js';

/** Edits in one call, objects in one page, and objects that come whole: see `store/topology`, `store/topology-reading`. */
const most = { edits: 400, page: 400, whole: 1000 };
const many = 2100;

const bindingOf = (index: number) => ({ exchange: 'e', queue: `q${index % 20}`, routingKey: `key.${index}` });

onOneServer('monitor').describe('what is declared with many bindings', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());

  /** What clients and scripts send while something is done. */
  async function commandsDuring(act: () => Promise<unknown>): Promise<string[][]> {
    const [monitor, marker] = [await server.client().monitor(), server.client()];
    const seen: string[][] = [];
    monitor.on('monitor', (_at: string, args: string[]) => seen.push(args));
    await act();
    await marker.echo('over');
    await waitFor(() => seen.some(([name, text]) => name?.toLowerCase() === 'echo' && text === 'over'), {
      what: 'over',
    });
    monitor.disconnect();
    return seen;
  }

  async function declared() {
    const prefix = ownPrefix();
    const [declaring, other] = [await openBroker(server, prefix), await openBroker(server, prefix)];
    const bindings = Array.from({ length: many }, (_, index) => bindingOf(index));
    await declaring.broker.declare({
      exchanges: [{ name: 'e', type: 'direct' }],
      queues: Array.from({ length: 20 }, (_, index) => ({ name: `q${index}` })),
      bindings,
    });
    return { prefix, declaring, other, bindings, close: () => Promise.all([declaring.close(), other.close()]) };
  }

  it('is declared, read and removed in bounded pieces, and a process that follows reads only what was changed', async () => {
    // given
    const { declaring, other, close } = await declared();
    const publish = (key: string) => other.broker.publish('e', key, null);
    // when
    const read = await commandsDuring(() => publish('key.2099'));
    const added = await commandsDuring(async () => {
      await declaring.broker.bind(bindingOf(many));
      expect((await publish(`key.${many}`)).queues).toEqual(['q0']);
    });
    const removed = await commandsDuring(async () => expect(await declaring.broker.deleteExchange('e')).toBe(true));
    await expect(publish('key.1')).rejects.toThrow(TopologyNotFoundError);
    // then
    const named = (commands: string[][], name: string) => commands.filter(([command]) => command === name);
    expect(named([...read, ...added, ...removed], 'HVALS')).toEqual([]);
    expect(named(read, 'HSCAN').length).toBeGreaterThan(many / most.page / 2);
    for (const [, , , , count] of named(read, 'HSCAN')) expect(Number(count)).toBeLessThanOrEqual(most.page);
    expect(named(added, 'HSCAN')).toEqual([]);
    expect(named(removed, 'HDEL').length).toBe(many + 2);
    for (const args of removed) expect(args.length).toBeLessThan(3 * most.edits + 20);
    await close();
  });

  it('has nothing of a removal that was interrupted: what is left leads nowhere, and a repetition removes it', async () => {
    // given a process that ended when the exchange was gone and its bindings were not
    const { prefix, declaring, other, close } = await declared();
    await other.broker.publish('e', 'key.1', null);
    const client = server.client();
    const topology = (name: string) => `${prefix}:{topology}:${name}`;
    await client.multi().hdel(topology('exchanges'), 'e').hincrby(topology('meta'), 'version', 1).exec();
    // when
    await expect(other.broker.publish('e', 'key.1', null)).rejects.toThrow(TopologyNotFoundError);
    await declaring.broker.declare({ exchanges: [{ name: 'e', type: 'direct' }], bindings: [bindingOf(7)] });
    // then
    expect((await other.broker.publish('e', 'key.1', null)).isUnroutable).toBe(true);
    expect((await other.broker.publish('e', 'key.7', null)).queues).toEqual(['q7']);
    expect(await client.hlen(topology('bindings'))).toBe(1);
    await client.multi().hdel(topology('exchanges'), 'e').hincrby(topology('meta'), 'version', 1).exec();
    expect(await declaring.broker.deleteExchange('e')).toBe(true);
    expect(await client.hlen(topology('bindings'))).toBe(0);
    expect(await declaring.broker.deleteExchange('e')).toBe(false);
    await close();
  });
});
