// Stands in for @millrace/testing when the suites are run under a user with only the documented rights (`npm run test:acl`).
import {
  type RedisServer,
  type RedisServerOptions,
  startRedis as startReal,
  stopEverything as stopReal,
} from '../../libs/testing/src/index.js';
import { aclPassword, asSetting, unitedUser, workingUsers } from './acl-users.js';

export * from '../../libs/testing/src/index.js';

/** Specs declare, publish, consume and look over one connection: a user with the rights of all roles, and no others. */
const united = unitedUser('everybody', workingUsers);
/** What the specs themselves use to look or to wait. */
const user = { ...united, rules: [...united.rules, '+ping', '+keys'] };
const started = new Set<RedisServer>();

/** A server whose `connection` and `url` are a restricted user's; its `client()` may do everything. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const server = await startReal({ ...options, config: { ...options.config, user: asSetting(user) } });
  started.add(server);
  const url = `redis://${user.name}:${aclPassword}@${server.host}:${server.port}`;
  return Object.defineProperties(server, { url: { value: url }, connection: { value: { url } } });
}

/** @throws {Error} when Redis had to refuse something */
export async function stopEverything(): Promise<void> {
  const refused = await Promise.all([...started].filter((server) => server.isResponsive).map(refusals));
  started.clear();
  await stopReal();
  if (refused.flat().length > 0) throw new Error(`Redis refused: ${refused.flat().join('; ')}`);
}

/** Without AOF a connection asks whether there are snapshots (CONFIG GET), which no user may: docs/operations.md. */
async function refusals(server: RedisServer): Promise<string[]> {
  const entries = (await server.client().call('ACL', 'LOG')) as string[][];
  return entries.map((entry) => entry.join(' ')).filter((entry) => !entry.includes('config|get'));
}
