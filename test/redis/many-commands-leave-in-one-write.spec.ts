import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis, writtenSoon, writtenTogether } from '@millrace/redis';
import { type RedisServer, startRedis, stopEverything } from '@millrace/testing';

describe('commands that are written together', () => {
  let server: RedisServer;
  let client: Redis;
  beforeAll(async () => {
    server = await startRedis();
    client = new Redis(server.url);
    await client.ping();
  });
  afterAll(async () => {
    client.disconnect();
    await stopEverything();
  });

  it('leave in one write, and each gets its reply', async () => {
    const before = client.stream.bytesWritten;
    const answers: Promise<string>[] = [];
    writtenTogether(client, () => {
      for (const text of ['a', 'b', 'c']) answers.push(client.echo(text));
      expect(client.stream.writableLength).toBeGreaterThan(0);
      expect(client.stream.writableCorked).toBe(1);
    });
    expect(client.stream.writableCorked).toBe(0);
    expect(await Promise.all(answers)).toEqual(['a', 'b', 'c']);
    expect(client.stream.bytesWritten).toBeGreaterThan(before);
  });

  it('are written even when asking throws half-way', async () => {
    const answers: Promise<string>[] = [];
    const ask = () =>
      writtenTogether(client, () => {
        answers.push(client.echo('a'));
        throw new Error('half-way');
      });
    expect(ask).toThrow('half-way');
    expect(await Promise.all(answers)).toEqual(['a']);
  });

  it('may be asked of a client that has no connection yet', () => {
    const unconnected = new Redis(server.url, { lazyConnect: true });
    let isAsked = false;
    writtenTogether(unconnected, () => {
      isAsked = true;
    });
    expect(isAsked).toBe(true);
    unconnected.disconnect();
  });
});

describe('commands that are written soon', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  const readsOf = async (client: Redis): Promise<number> =>
    Number(/total_reads_processed:(\d+)/.exec(await client.info('stats'))?.[1]);

  it('leave together, also those of different callers, and each gets its reply or its error', async () => {
    // given
    const client = new Redis(server.url);
    await client.ping();
    const before = await readsOf(client);
    // when a hundred ask, behind one that throws, and one for what is wrong
    const thrown = writtenSoon(client, () => {
      throw new Error('thrown');
    });
    const answers = Array.from({ length: 100 }, (_, n) => writtenSoon(client, () => client.echo(`${n}`)));
    const wrong = writtenSoon(client, () => client.call('NO.SUCH.COMMAND'));
    // then Redis got them in one read; the second read is the INFO that counts the reads
    await expect(thrown).rejects.toThrow('thrown');
    expect(await Promise.all(answers)).toEqual(Array.from({ length: 100 }, (_, n) => `${n}`));
    await expect(wrong).rejects.toThrow('NO.SUCH.COMMAND');
    expect((await readsOf(client)) - before).toBeLessThanOrEqual(3);
    client.disconnect();
  });
});
