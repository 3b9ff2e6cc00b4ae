import { describeFailure, isInstance, messageOf, UnavailableError } from '@millrace/core';
import type { Events } from '@millrace/delivery';
import { type RedisConnection, redisFailure } from '@millrace/redis';
import type { MillraceLogger } from './millrace-logger.js';

/** Writes what an operator wants to know to Nest's logger. Messages that were handled are not among it. */
export function writeEventsToLogger(
  { name, events, connection }: { name: string; events: Events; connection: RedisConnection },
  logger: MillraceLogger,
): void {
  // An outage is one line when it begins and one when it ends, however often a connection or a background duty tries.
  let isUp: boolean | undefined;
  connection.on('up', () => {
    logger.log(`${isUp === undefined ? 'Connected to Redis' : 'Redis is back'} (connection "${name}")`);
    isUp = true;
  });
  connection.on('down', (reason) => {
    if (isUp && !connection.isClosed)
      logger.warn(`Redis is away (connection "${name}"): ${reason || 'connection lost'}`);
    isUp &&= false;
  });
  connection.on('warning', (text) => logger.warn(text));
  events.on('retry-scheduled', ({ handler, source, attempt, delayMs, error }) => {
    logger.warn(`${handler} failed (${source}, attempt ${attempt}), next try in ${delayMs} ms: ${messageOf(error)}`);
  });
  events.on('dead-lettered', ({ handler, source, reason, error }) => {
    logger.error(`${handler} gave a message of ${source} up (${reason}): ${messageOf(error)}`, stackOf(error));
  });
  events.on('late-outcome', ({ handler, subject, attempt, outcome, error }) => {
    const how = error === undefined ? outcome : `${outcome}: ${messageOf(error)}`;
    logger.warn(`${handler} ended after attempt ${attempt} at ${subject} was given up (${how}): it counts for nothing`);
  });
  events.on('lease-lost', ({ source }) => logger.warn(`Lease lost on ${source}: others handle its messages now`));
  events.on('background-error', ({ duty, error }) => {
    const isOutage = redisFailure(error).failure === 'unavailable' || isInstance(error, UnavailableError);
    if (!isOutage || isUp) logger.warn(`${duty} failed, trying again: ${messageOf(error)}`);
  });
  events.on('group-expired', ({ group }) => {
    logger.warn(`group ${group} had no members for long: it is forgotten, with its offsets (offsetsRetentionMs)`);
  });
  events.on('records-expired-unread', ({ topic, partition, group, count }) => {
    logger.warn(`Retention removed ${count} records of ${topic}/${partition} that group ${group} had not read`);
  });
  events.on('offset-out-of-range', ({ topic, partition, group, from, to, why }) => {
    logger.warn(`Group ${group} was moved from offset ${from} to ${to} of ${topic}/${partition}: ${why}`);
  });
}

function stackOf(error: unknown): string | undefined {
  return describeFailure(error).stack || undefined;
}
