import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findRedisBinary } from '../../libs/testing/src/redis-binary.js';

/** A Redis user as docs/operations.md recommends it. */
export interface AclUser {
  readonly name: string;
  /** What follows `ACL SETUSER <name>`, in the order of the file, without `on` and the password; a selector with its brackets is one. */
  readonly rules: readonly string[];
}

/** The path of an `aclfile` in docs/. */
export function pathOf(file: string): string {
  return fileURLToPath(new URL(`../../docs/${file}`, import.meta.url));
}

/** The one place where the rules are: in Redis's own format, to be loaded as an `aclfile`. */
export function usersOf(file: string): AclUser[] {
  return readFileSync(pathOf(file), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('user '))
    .map((line) => {
      const [, name = '', ...rules] = line.trim().match(/\([^)]*\)|\S+/g) ?? [];
      return { name, rules: rules.filter((rule) => rule !== 'on' && !rule.startsWith('>')) };
    });
}

const { product, version } = await findRedisBinary();

/** Whether the server under test knows WAITAOF: Redis 7.2 or newer, and every Valkey. */
export const knowsWaitaof = product === 'valkey' || !version.startsWith('7.0.');

/** The file for the server under test. */
export const usersFile = knowsWaitaof ? 'users.acl' : 'users-redis-7.0.acl';

/** Of producers, consumers, operators and observers. */
export const aclUsers: readonly AclUser[] = usersOf(usersFile);

/** Of producers, consumers and operators. */
export const workingUsers = aclUsers.filter(({ name }) => !/viewer|doctor/.test(name));

/** Password of every user in tests. */
export const aclPassword = 'of-a-test';

export function aclUser(name: string): AclUser {
  const user = aclUsers.find((candidate) => candidate.name === `millrace-${name}`);
  if (user === undefined) throw new Error(`docs/${usersFile} has no user "${name}"`);
  return user;
}

/** Who makes a failover: replicas and Sentinels at the servers, and clients at a Sentinel. */
export function sentinelUser(name: 'replica' | 'sentinel' | 'client'): AclUser {
  const user = usersOf('sentinel.acl').find((candidate) => candidate.name === `millrace-${name}`);
  if (user === undefined) throw new Error(`docs/sentinel.acl has no user "${name}"`);
  return user;
}

/** A user with the rights of several, for keys of any prefix. */
export function unitedUser(name: string, users: readonly AclUser[]): AclUser {
  const rules = new Set(users.flatMap((user) => user.rules).map((rule) => rule.replaceAll('~millrace:', '~*:')));
  const isBroad = (rule: string): boolean => rule === 'resetchannels' || rule === '-@all';
  const isSelector = (rule: string): boolean => rule.startsWith('(');
  const own = [...rules].filter((rule) => !isBroad(rule) && !isSelector(rule));
  return { name, rules: [...[...rules].filter(isBroad), ...own, ...[...rules].filter(isSelector)] };
}

/** As arguments of `redis-server --user`: the user is there again after a restart. */
export function asSetting({ name, rules }: AclUser): readonly string[] {
  return [name, 'on', `>${aclPassword}`, ...rules];
}

/** The commands that a user may use on some keys, in small letters, `xgroup|setid` for a subcommand. */
export function commandsOf({ rules }: AclUser): string[] {
  const words = rules.flatMap((rule) => rule.replace(/[()]/g, '').split(' '));
  return [...new Set(words.filter((word) => word.startsWith('+')).map((word) => word.slice(1)))];
}
