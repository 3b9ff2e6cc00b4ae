import {
  assertNoProblem,
  deadLettersOf,
  escapeName,
  nameList,
  type OptionReaders,
  oneOf,
  optional,
  resolveOptions,
} from '@millrace/core';
import { keyPrefix } from '@millrace/redis';
import type { Grant, RoleGrants } from './grant.js';
import { logConsumer, logOperator, logProducer } from './log-grants.js';
import { queueConsumer, queueOperator, queueProducer } from './queue-grants.js';
import { doctor, viewer } from './watching-grants.js';

const roles = {
  'log-producer': logProducer,
  'log-consumer': logConsumer,
  'log-operator': logOperator,
  'queue-producer': queueProducer,
  'queue-consumer': queueConsumer,
  'queue-operator': queueOperator,
  viewer,
  doctor,
} satisfies Record<string, RoleGrants>;

/** What a process does with Redis. One that does several of these gets the rules of several users. */
export type AclRole = keyof typeof roles;

/** The roles that there are rules for. */
export const aclRoles = Object.keys(roles) as readonly AclRole[];

/** What a user is for. A kind that is left out (`queues`, `topics`, `groups`) means all of that kind. */
export interface AclScope {
  /** Prefix of the keys. Default `millrace`. */
  readonly prefix?: string | undefined;
  /**
   * Only these queues, with their shards and their `<queue>.dead-letters`; name other queues of dead letters too. Default: all. An operator
   * of some queues can still change exchanges, bindings and declarations of others: they share their keys.
   */
  readonly queues?: readonly string[] | undefined;
  /** Only these topics and their `<topic>.dead-letters`; name other dead-letter topics too. Default: all. */
  readonly topics?: readonly string[] | undefined;
  /** Only these consumer groups. Default: all. */
  readonly groups?: readonly string[] | undefined;
  /** Which server: Redis 7.0 refuses users with commands that it does not know. Default `newer`: Redis 7.2, Valkey. */
  readonly server?: 'redis-7.0' | 'newer' | undefined;
}

/**
 * A list of the least rules of a Redis user for a role, without `on` and a password: the arguments that follow `ACL SETUSER <name>`, or
 * joined by spaces what follows `user <name>` in an `aclfile`. They refuse every command and key that the role does not need, in scripts too.
 *
 * @throws {OptionsError} with every problem
 */
export function aclRules(role: AclRole, scope: AclScope = {}): readonly string[] {
  assertNoProblem(
    'rules',
    Object.hasOwn(roles, role) ? undefined : `there is no role "${role}": ${aclRoles.join(', ')}`,
  );
  const { prefix, server, ...bases } = resolveOptions<ResolvedScope>('scope of rules', scopeReaders, scope);
  const { commands, scriptKeys, isReader = false, grants }: RoleGrants = roles[role];
  const known = (all: string) => all.split(' ').filter((name) => server === 'newer' || name !== 'waitaof');
  const patterns = ({ keys, access }: Pick<Grant, 'keys' | 'access'>): string[] => {
    const sign = access === undefined ? '~' : access === 'read' ? '%R~' : '%W~';
    return keys.flatMap((key) => patternsOf(key, bases).map((pattern) => `${sign}${prefix}:${pattern}`));
  };
  return [
    'resetchannels',
    '-@all',
    ...known(commands).map((name) => `+${name}`),
    ...patterns({ keys: scriptKeys, access: isReader ? 'read' : undefined }),
    ...grants.map((grant) => `(${[...patterns(grant), ...known(grant.commands).map((name) => `+${name}`)].join(' ')})`),
  ];
}

type ResolvedScope = AclScope & Required<Pick<AclScope, 'prefix' | 'server'>>;
type Bases = Pick<AclScope, 'queues' | 'topics' | 'groups'>;

const scopeReaders: OptionReaders<ResolvedScope> = {
  prefix: keyPrefix('millrace'),
  server: oneOf(['newer', 'redis-7.0'], 'newer'),
  queues: optional(nameList('queue')),
  topics: optional(nameList('topic')),
  groups: optional(nameList('group')),
};

/** `queue:settings` → `{queue:*}:settings`, or one for each queue that is meant and for its shards. */
function patternsOf(key: string, { queues, topics, groups }: Bases): string[] {
  const tag = key.slice(0, key.indexOf(':'));
  const own = key.slice(tag.length + 1) || '*';
  const tagged = (all: readonly string[] = ['*']) => all.map((base) => `{${tag}:${base}}:${own}`);
  switch (tag) {
    case 'queue':
      return tagged(queues && withDeadLetters(queues).flatMap((name) => [name, `${name}:*`]));
    case 'log':
      return tagged(topics && withDeadLetters(topics).map((name) => `${name}:*`)).flatMap((pattern) =>
        own === 'group:*'
          ? (groups?.map(escapeName) ?? ['*']).map((group) => pattern.replace(/\*$/, () => group))
          : [pattern],
      );
    case 'group':
      return tagged(groups?.map(escapeName));
    case 'reply':
      return tagged();
    default:
      return [`{${tag}}:${own}`];
  }
}

function withDeadLetters(all: readonly string[]): string[] {
  return [...new Set(all.flatMap((name) => [name, deadLettersOf(name)]))].map(escapeName);
}
