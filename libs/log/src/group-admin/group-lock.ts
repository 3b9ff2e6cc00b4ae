import { randomUUID } from 'node:crypto';
import { OptionsError } from '@millrace/core';
import type { RedisConnection } from '@millrace/redis';
import { idempotently } from '../idempotent-call.js';
import { lockGroup, unlockGroup } from '../store/group-offsets.js';
import { groupKeys } from '../store/keys.js';

/** Runs `work` on a group without members; none can join meanwhile. @throws {OptionsError} it is active, or locked by another operator */
export async function whileLocked<T>(connection: RedisConnection, group: string, work: () => Promise<T>): Promise<T> {
  const { commands, prefix } = connection;
  const keys = groupKeys(prefix, group);
  const token = randomUUID();
  const reply = await idempotently(connection, `change group "${group}"`, (client) => lockGroup(client, keys, token));
  if (reply === 'active') throw groupIsActive(group);
  if (reply === 'busy') throw new OptionsError(`group "${group}"`, ['another operator is changing it: try again']);
  try {
    return await work();
  } finally {
    await unlockGroup(commands, keys, token).catch(() => undefined);
  }
}

export function groupIsActive(group: string): OptionsError {
  return new OptionsError(`group "${group}"`, ['it is active: stop its members before its offsets are changed']);
}
