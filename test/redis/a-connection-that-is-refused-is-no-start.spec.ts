import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { UnavailableError } from '@millrace/core';
import { type ConnectionInput, RedisConnection } from '@millrace/redis';
import {
  type RedisCluster,
  type RedisServer,
  startCluster,
  startRedis,
  startReplicated,
  startSentinels,
  stopEverything,
  waitFor,
} from '@millrace/testing';

/** Longer than a test may take: a test that waits for it fails. */
const connectTimeoutMs = 120_000;

/** Why a connection could not be opened. */
async function refusal(input: ConnectionInput): Promise<string> {
  const error = await new RedisConnection({ connectTimeoutMs, ...input }).open().catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(UnavailableError);
  return String(error);
}

describe('a connection that the server refuses is no start, and fails without waiting', () => {
  let server: RedisServer;
  let at: string;
  beforeAll(async () => {
    const users = ['plain', 'on', '>secret', '+@all', '~*', '&*'];
    const nameless = ['nameless', 'on', '>secret', '+@all', '~*', '&*', '-client|setname'];
    const rooted = ['rooted', 'on', '>secret', '+@all', '~*', '&*', '-select'];
    server = await startRedis({ config: { user: [...users, '--user', ...nameless, '--user', ...rooted] } });
    at = `127.0.0.1:${server.port}`;
  });
  afterAll(stopEverything);

  it.each<[what: string, input: () => ConnectionInput, why: RegExp]>([
    ['a database that it has not', () => ({ url: `redis://${at}`, db: 99 }), /has no database 99 \(ERR DB index/],
    ['such a database in the URL', () => ({ url: `redis://${at}/99` }), /has no database 99 \(ERR DB index/],
    ['a user whose password is wrong', () => ({ url: `redis://plain:wrong@${at}` }), /refused the user or password/],
    ['a password where it has none', () => ({ url: `redis://:secret@${at}` }), /has no password, and one was given/],
    [
      'a name that its user may not give',
      () => ({ url: `redis://nameless:secret@${at}` }),
      /may not send CLIENT SETNAME/,
    ],
    [
      'a database that its user may not choose',
      () => ({ url: `redis://rooted:secret@${at}/1` }),
      /may not send SELECT 1/,
    ],
    ['TLS at a port that has none', () => ({ url: `rediss://${at}` }), /does not use TLS at this port .*write redis:/],
  ])('%s', async (_, input, why) => {
    const problem = await refusal(input());
    expect(problem).toMatch(/Redis refuses the connection: it/);
    expect(problem).toMatch(why);
    expect(problem).not.toContain('secret');
    // and nothing was written anywhere else
    expect(await server.client().dbsize()).toBe(0);
  });

  it('options go before what the URL says', async () => {
    const connection = new RedisConnection({
      url: `redis://:wrong@${at}/99`,
      username: 'plain',
      password: 'secret',
      db: 2,
    });
    await (await connection.open()).commands.set('where', 'there');
    expect(await server.client({ db: 2 }).get('where')).toBe('there');
    connection.close();
  });

  it('a connection that was there and is refused when it comes back writes nothing, and goes on when it may', async () => {
    // given
    const owner = server.client();
    const connection = await new RedisConnection({ url: `redis://plain:secret@${at}/3` }).open();
    const waiting = await connection.blocking('waits');
    // when its user may no longer choose its database, and its connections are cut
    await owner.call('ACL', 'SETUSER', 'plain', '-select');
    await owner.client('KILL', 'USER', 'plain');
    // then
    await waitFor(() => connection.downReason.includes('may not send SELECT 3'), { what: 'the reason' });
    await expect(connection.commands.set('x', 1)).rejects.toThrow();
    await expect(waiting.set('x', 1)).rejects.toThrow();
    expect(await owner.get('x')).toBeNull();
    // when it may again
    await owner.call('ACL', 'SETUSER', 'plain', '+select');
    await connection.whenReady(20_000);
    // then
    await connection.commands.set('x', 1);
    expect(await server.client({ db: 3 }).get('x')).toBe('1');
    connection.close();
  });
});

describe('a connection that is refused', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startCluster({ replicasPerMaster: 0, password: 'of-all' });
  });
  afterAll(stopEverything);

  it('by the nodes of a cluster fails without waiting', async () => {
    expect(await refusal({ ...cluster.connection, password: 'wrong' })).toMatch(
      /refused the user or password.*WRONGPASS/,
    );
  });

  it('for its database by a node of a cluster that is taken for a server by itself', async () => {
    const input = { url: `redis://:of-all@127.0.0.1:${cluster.servers[0]?.port}/1` };
    expect(await refusal(input)).toMatch(
      /is a node of a cluster, which has only database 0: leave db out|has no database 1 /,
    );
  });

  it('by the primary that Sentinel names, and by Sentinel', async () => {
    const sentinels = await startSentinels(await startReplicated({ password: 'of-servers' }), {
      password: 'of-sentinels',
    });
    const { sentinel } = sentinels.connection;
    const right = { ...sentinel, password: 'of-sentinels' };
    expect(await refusal({ sentinel: right, password: 'wrong' })).toMatch(/it refused the user or password/);
    const problem = await refusal({ sentinel: { ...sentinel, password: 'wrong' }, password: 'of-servers' });
    expect(problem).toMatch(/Sentinel refused the user or password/);
  });
});
