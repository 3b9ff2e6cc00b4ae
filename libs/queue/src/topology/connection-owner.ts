import { randomBytes } from 'node:crypto';
import type { RedisConnection } from '@millrace/redis';

const owners = new WeakMap<RedisConnection, string>();

/** The owner of an exclusive queue: a connection, as in AMQP. All Brokers that share it are the same owner. */
export function ownerOf(connection: RedisConnection): string {
  let owner = owners.get(connection);
  if (owner === undefined) {
    owner = randomBytes(9).toString('base64url');
    owners.set(connection, owner);
  }
  return owner;
}
