import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Log } from '@millrace/log';
import { Broker } from '@millrace/queue';
import { type ConnectionInput, RedisConnection } from '@millrace/redis';
import { type RedisServer, startReplicated, startSentinels, stopEverything } from '@millrace/testing';
import { failsOverUnderLoad } from '../chaos/failover-under-load.js';
import { aclPassword, asSetting, sentinelUser, unitedUser, workingUsers } from './acl-users.js';
import { type Certificates, overTls, withCertificates } from './certificates.js';

/** Of the default user: the tests' own. */
const password = 'of-the-owner';
const user = unitedUser('everybody', workingUsers);

/** A primary and two replicas, and three Sentinels that watch them, where everybody is a user with the rights that are documented. */
async function start(certificates?: Certificates) {
  const tls = certificates?.files;
  const users = [user, sentinelUser('replica'), sentinelUser('sentinel')].flatMap((one) => [
    ...asSetting(one),
    '--user',
  ]);
  const config = { user: users.slice(0, -1), masteruser: sentinelUser('replica').name, masterauth: aclPassword };
  // 'always': with 'everysec' each WAITAOF waits for the next second, here and at the replica.
  const replicated = await startReplicated({ replicas: 2, aof: 'always', password, config, ...(tls && { tls }) });
  const client = sentinelUser('client');
  const lines = [`sentinel auth-user millrace ${sentinelUser('sentinel').name}`, `user ${asSetting(client).join(' ')}`];
  const sentinels = await startSentinels(replicated, {
    password,
    lines,
    authPassword: aclPassword,
    ...(tls && { tls }),
  });
  const input: ConnectionInput = {
    sentinel: { ...sentinels.connection.sentinel, username: client.name, password: aclPassword },
    username: user.name,
    password: aclPassword,
    ...(certificates && { tls: { ca: certificates.ca } }),
  };
  return { replicated, sentinels, input };
}

/** What was refused, except reading CONFIG, for which no user has the right. */
async function refusals(servers: readonly RedisServer[]): Promise<string[]> {
  const running = servers.filter((server) => server.isResponsive);
  const logs = await Promise.all(running.map((server) => server.client().call('ACL', 'LOG')));
  return (logs.flat() as string[][]).map((entry) => entry.join(' ')).filter((entry) => !entry.includes('config|get'));
}

/** On which of their ports clients of ours are connected. */
async function portsInUse(servers: readonly RedisServer[]): Promise<Set<string | undefined>> {
  const lists = await Promise.all(servers.map((server) => server.client().client('LIST')));
  const ours = lists.flatMap((list) => String(list).split('\n')).filter((line) => line.includes(`user=${user.name}`));
  return new Set(ours.map((line) => /laddr=[^ ]*:(\d+) /.exec(line)?.[1]));
}

async function goesThrough({ replicated, sentinels, input }: Awaited<ReturnType<typeof start>>): Promise<void> {
  const connection = await new RedisConnection(input).open();
  const [log, broker] = [new Log(connection), new Broker(connection, { minReplicas: 2 })];
  await log.declareTopic({ name: 'orders', partitions: 2 });
  await broker.declareQueue({ name: 'work' });
  expect(await portsInUse([replicated.primary])).toEqual(new Set([String(replicated.primary.peerPort)]));
  await failsOverUnderLoad({ log, broker }, { replicated, sentinels });
  await Promise.all([log.close(), broker.close()]);
  connection.close();
  expect(await refusals([...replicated.servers, ...sentinels.servers])).toEqual([]);
}

describe('behind Sentinel, a failover under load is followed and loses nothing confirmed', () => {
  afterEach(stopEverything);

  it('where clients, replicas and Sentinels are users with no more rights than they need', async () => {
    await goesThrough(await start());
  }, 240_000);

  overTls.it(
    'where all of them speak TLS to each other',
    async () => {
      // For as long as it lasts: a server that comes back reads its files again.
      await withCertificates('IP:127.0.0.1', async (certificates) => goesThrough(await start(certificates)));
    },
    240_000,
  );

  it('and a client that Sentinel refuses gets an error that says so', async () => {
    const { input } = await start();
    const wrong = { ...input, connectTimeoutMs: 120_000, sentinel: { ...input.sentinel!, password: 'wrong' } };
    const problem = await new RedisConnection(wrong).open().catch(String);
    expect(problem).toMatch(/Sentinel refused the user or password: check sentinel.username and sentinel.password/);
  });
});

describe('the rules of docs/sentinel.acl', () => {
  it('are those that docs/operations.md shows', () => {
    const text = (file: string) => readFileSync(new URL(`../../docs/${file}`, import.meta.url), 'utf8');
    expect(text('operations.md')).toContain(text('sentinel.acl').trim());
  });
});
