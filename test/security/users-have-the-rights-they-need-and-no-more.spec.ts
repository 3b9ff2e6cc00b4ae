import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { aclRoles, aclRules } from '@millrace/admin';
import { type RedisServer, startCluster, startRedis, stopEverything } from '@millrace/testing';
import { aclPassword, aclUser, aclUsers, asSetting, commandsOf, knowsWaitaof, usersFile } from './acl-users.js';
import { CommandUsage } from './command-usage.js';
import { type Role, roles } from './roles.js';
import { useLog } from './uses-of-a-log.js';
import { useQueues } from './uses-of-queues.js';

const everything: readonly [what: string, use: typeof useLog][] = [
  ['a log', useLog],
  ['queues', useQueues],
];
const users = { user: aclUsers.flatMap((user) => [...asSetting(user), '--user']).slice(0, -1) };
const login = (role: Role) => ({ username: aclUser(role).name, password: aclPassword });

/** What Redis refused, by `ACL LOG`. */
async function refusals(server: RedisServer): Promise<unknown[]> {
  return (await server.client().call('ACL', 'LOG')) as unknown[];
}

describe('producers, consumers and operators', () => {
  afterEach(stopEverything);

  it.each(everything)(`of %s do all they do under the users of docs/${usersFile}`, async (_, use) => {
    const server = await startRedis({ aof: 'everysec', config: users });
    const errors = await use((role) => ({ ...server.connection, ...login(role) }));
    expect(errors).toEqual([]);
    expect(await refusals(server)).toEqual([]);
  });

  it.each(everything)('of %s do it on a cluster as well', async (_, use) => {
    const cluster = await startCluster({ replicasPerMaster: 0, aof: 'everysec', config: users });
    const errors = await use((role) => ({ ...cluster.connection, ...login(role) }));
    expect(errors).toEqual([]);
    for (const server of cluster.servers) expect(await refusals(server)).toEqual([]);
  });
});

describe(`the rules of docs/${usersFile}`, () => {
  afterAll(stopEverything);

  // MONITOR does not show what is for administrators, and this server is no cluster. RENAME ends a trimming pass, which
  // needs a thousand stale entries, XINFO STREAM repairs a damaged partition, and a stream is made again where
  // another program wrote behind the log.
  const hidden = new Set([
    'client|list',
    'client|unblock',
    'eval_ro',
    'cluster|slots',
    'cluster|info',
    'rename',
    'xinfo|stream',
    'xrevrange',
    'persist',
    // This server keeps an append-only file, so that a producer asks for what replicas have on disk. Without one it is WAIT.
    ...(knowsWaitaof ? ['wait'] : []),
  ]);

  // No consumer dies here: what the last one of a queue held is given back by an operator's upkeep.
  const departure = new Set(['lpush', 'lpushx', 'sadd', 'smembers', 'srem']);

  it('allow each role the commands that it uses, and no others', async () => {
    const server = await startRedis({ aof: 'everysec' });
    const usage = await CommandUsage.start(server.client());
    for (const [, use] of everything) await use(() => server.connection);
    usage.stop();
    for (const role of roles) {
      const used = usage.of(role);
      // Which of the two forms is sent depends on whether the server knows the script.
      if (used.has('evalsha_ro')) used.add('eval_ro');
      const allowed = new Set(commandsOf(aclUser(role)));
      const isHidden = (name: string) => hidden.has(name) || (role === 'queue-operator' && departure.has(name));
      const unused = [...allowed].filter((name) => !used.has(name) && !isHidden(name));
      const missing = [...used].filter((name) => !allowed.has(name));
      expect({ role, unused, missing }).toEqual({ role, unused: [], missing: [] });
    }
  });

  it('are those of aclRules()', () => {
    const server = knowsWaitaof ? 'newer' : 'redis-7.0';
    expect(aclUsers).toEqual(aclRoles.map((role) => ({ name: `millrace-${role}`, rules: aclRules(role, { server }) })));
  });

  it('let only an operator change what is declared', async () => {
    const redis = (await startRedis({ config: users })).client();
    const mayChange = async (role: Role, name: string): Promise<boolean> => {
      const write = ['HSET', `millrace:{topology}:${name}`, 'field', 'value'];
      return (await redis.call('ACL', 'DRYRUN', aclUser(role).name, ...write)) === 'OK';
    };
    const allowed: string[] = [];
    for (const role of roles) {
      for (const name of ['topics', 'exchanges', 'queues', 'bindings']) {
        if (await mayChange(role, name)) allowed.push(`${role}: ${name}`);
      }
    }
    const ofQueues = ['exchanges', 'queues', 'bindings'].map((name) => `queue-operator: ${name}`);
    expect(allowed).toEqual(['log-operator: topics', ...ofQueues]);
  });
});
