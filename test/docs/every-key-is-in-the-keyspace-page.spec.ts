import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Log } from '@millrace/log';
import { RedisConnection } from '@millrace/redis';
import { type RedisServer, startRedis, stopEverything } from '@millrace/testing';
import { useLog } from '../security/uses-of-a-log.js';
import { useQueues } from '../security/uses-of-queues.js';
import { root } from './code-blocks.js';

const page = readFileSync(join(root, 'docs/keyspace.md'), 'utf8');

/** Every key that the page has a row for, as a pattern: `<…>` is a name. */
function documentedKeys(): RegExp[] {
  const whole = [...page.matchAll(/^\| (`\{[^|]+) \|/gm)].map(([, cell = '']) => cell);
  const [, ofQueues = ''] = /^\| key `\{queue:<name>\}:…` .*\n\|[- |]+\n((?:\|.*\n)+)/m.exec(page) ?? [];
  const rests = [...ofQueues.matchAll(/^\| ([^|]+) \|/gm)].map(([, cell = '']) => cell);
  const names = (cells: string[]) => cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
  const keys = [...names(whole), ...names(rests).map((rest) => `{queue:<name>}:${rest}`)];
  return keys.map((key = '') => {
    const literal = key.replaceAll(/[{}()[\]]/g, '\\$&').replaceAll(/<[^>]+>/g, '.+');
    return new RegExp(`^millrace:${literal}$`);
  });
}

/** The names of all keys that are written while `work` is done, also of those that are gone by its end. */
async function keysWrittenBy(server: RedisServer, work: () => Promise<unknown>): Promise<Set<string>> {
  const keys = new Set<string>();
  const subscriber = server.client();
  subscriber.on('pmessage', (_pattern: string, channel: string) => keys.add(channel.replace('__keyspace@0__:', '')));
  await subscriber.psubscribe('__keyspace@0__:*');
  await work();
  return keys;
}

describe('docs/keyspace.md', () => {
  afterEach(stopEverything);

  it('has every key that logs and queues write', async () => {
    // given
    const known = documentedKeys();
    expect(known.length).toBeGreaterThan(40);
    const server = await startRedis({ config: { 'notify-keyspace-events': 'KA' } });
    // when
    const keys = await keysWrittenBy(server, async () => {
      await useLog(() => server.connection);
      await useQueues(() => server.connection);
    });
    // then
    expect(keys.size).toBeGreaterThan(40);
    expect([...keys].filter((key) => !known.some((pattern) => pattern.test(key)))).toEqual([]);
  });

  it("shows a topic's settings as Redis has them", async () => {
    // given
    const [, block = '{}'] = /```json\n([\s\S]*?)```/.exec(page) ?? [];
    const { id, version, ...shown } = JSON.parse(block);
    const server = await startRedis();
    const connection = await new RedisConnection({ url: server.url }).open();
    const log = new Log(connection);
    // when
    await log.declareTopic({ name: 'orders', partitions: 3 });
    // then
    const stored = await server.client().hget('millrace:{topology}:topics', 'orders');
    expect(JSON.parse(stored ?? '')).toEqual({ ...shown, id: expect.any(Number), version: expect.any(Number) });
    await log.close();
    connection.close();
  });

  it('leads another reader to a record, its offset and the committed offset, with commands of Redis alone', async () => {
    // given
    const server = await startRedis();
    const connection = await new RedisConnection({ url: server.url }).open();
    const log = new Log(connection);
    await log.declareTopic({ name: 'orders' });
    const producer = log.producer();
    for (let n = 0; n < 5; n++) await producer.send({ topic: 'orders', value: n });
    const handled = new Promise<void>((resolve) => {
      const handler = async (_: unknown, { offset }: { offset: number }) => void (offset === 4 && resolve());
      void log.consumer({ group: 'mails', topics: 'orders', handler }).start();
    });
    await handled;
    await log.close();
    // when
    const records = 'millrace:{log:orders:0}:records';
    const redis = server.client();
    const read = await redis.xread('COUNT', 1, 'STREAMS', records, '0-3');
    const found = await redis.xrange(records, '(0-3', '+', 'COUNT', 1);
    const [group = []] = (await redis.xinfo('GROUPS', records)) as unknown[][];
    // then
    expect(read?.[0]?.[1]?.[0]?.[0]).toBe('0-4');
    expect(found[0]?.[0]).toBe('0-4');
    expect(group[group.indexOf('last-delivered-id') + 1]).toBe('0-5');
    expect(group[group.indexOf('pending') + 1]).toBe(0);
    connection.close();
  });
});
