import type { FirstUse } from '@millrace/delivery';
import type { RedisConnection } from '@millrace/redis';
import type { Publication } from './publication.js';

/** Waits for what must be done before the first message is routed. False: not in time, and the message has failed. */
export async function isPrepared(
  firstUse: FirstUse,
  publication: Publication,
  connection: Pick<RedisConnection, 'isUp' | 'downReason'>,
): Promise<boolean> {
  if (await firstUse.done(publication.deadlineMs - performance.now())) return true;
  if (connection.isUp)
    publication.giveUp('timeout', 'what must be declared before the first message was not declared in time');
  else publication.giveUp('unavailable', `Redis is away: ${connection.downReason}`);
  return false;
}
