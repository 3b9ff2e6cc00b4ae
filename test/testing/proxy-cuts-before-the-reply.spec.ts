import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type FaultProxy, type RedisServer, startProxy, startRedis, stopEverything } from '@millrace/testing';

/** A client that reports every loss to its caller and repeats nothing by itself. */
const honest = { maxRetriesPerRequest: 0, autoResendUnfulfilledCommands: false } as const;
const lost = /^(Connection is closed|Reached the max retries per request limit)/;

describe('cutBeforeReply', () => {
  let server: RedisServer;
  let proxy: FaultProxy;
  beforeAll(async () => {
    server = await startRedis();
    proxy = await startProxy(server);
  });
  beforeEach(() => server.client().flushall());
  afterAll(stopEverything);

  it('lets Redis run the command and drops the reply', async () => {
    // given
    const client = proxy.client(honest);
    await client.ping();
    // when
    const cut = proxy.cutBeforeReply();
    await expect(client.incr('counter')).rejects.toThrow(lost);
    await cut;
    // then
    expect(await server.client().get('counter')).toBe('1');
    expect(await client.incr('counter')).toBe(2);
  });

  it.each([2, 3] as const)(
    'takes the command that fits, out of the middle of a pipeline (RESP%i)',
    async (protocol) => {
      // given
      const client = proxy.client({ ...honest, protocol });
      await client.ping();
      const cut = proxy.cutBeforeReply('second');
      // when: all three travel in one packet
      const answers = await Promise.allSettled(['first', 'second', 'third'].map((key) => client.incr(key)));
      await cut;
      // then: all three were done; only the reply before the cut arrived
      expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
      expect(await server.client().mget('first', 'second', 'third')).toEqual(['1', '1', '1']);
    },
  );

  it('waits for the reply of Redis, however long that takes', async () => {
    // given: a command that blocks
    const client = proxy.client(honest);
    await client.ping();
    let isCut = false;
    const cut = proxy.cutBeforeReply('blpop').then(() => {
      isCut = true;
    });
    const popped = client.blpop('list', 0);
    const other = proxy.client();
    await other.ping();
    expect(isCut).toBe(false);
    // when
    await other.rpush('list', 'job');
    // then: Redis has removed the element, and no client has it
    await expect(popped).rejects.toThrow(lost);
    await cut;
    expect(await other.llen('list')).toBe(0);
  });

  it('lets a NOSCRIPT pass and cuts when the script has really run', async () => {
    const client = proxy.client(honest);
    await client.ping();
    const cut = proxy.cutBeforeReply('eval');
    await expect(client.evalsha('0'.repeat(40), 1, 'k')).rejects.toThrow('NOSCRIPT');
    await expect(client.eval('return redis.call("INCR", KEYS[1])', 1, 'k')).rejects.toThrow(lost);
    await cut;
    expect(await server.client().get('k')).toBe('1');
  });

  it('says what it waited for when no such command comes, and when the connection breaks first', async () => {
    await expect(proxy.cutBeforeReply('XADD', { timeoutMs: 20 })).rejects.toThrow('no command that contains "XADD"');
    const client = proxy.client(honest);
    await client.ping();
    const cut = proxy.cutBeforeReply('blpop');
    const popped = client.blpop('list', 0);
    popped.catch(() => {});
    await server.client().ping();
    client.disconnect();
    await expect(cut).rejects.toThrow('closed before Redis replied');
  });
});
