import { describeFailure, isInstance, messageOf, TopologyNotFoundError, UnavailableError } from '@millrace/core';
import type { Events, HandlerLabels, MessageIdentity } from '@millrace/delivery';
import { failureText, type RedisConnection, redisFailure } from '@millrace/redis';
import type { MillraceLogger } from './millrace-logger.js';

/** Writes events that matter to an operator to Nest's logger. Handled messages are not logged. */
export function writeEventsToLogger(
  { name, events, connection }: { name: string; events: Events; connection: RedisConnection },
  logger: MillraceLogger,
): void {
  // An outage is one line when it begins and one when it ends, for any number of attempts to connect or of background duties.
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
  events.on('retry-scheduled', ({ attempt, delayMs, error, ...about }) => {
    const what = `${about.handler} failed (${placeOf(about)}, attempt ${attempt})`;
    logger.warn(`${what}, next try in ${delayMs} ms: ${messageOf(error)}`);
  });
  events.on('dead-lettered', ({ reason, error, ...about }) => {
    logger.error(`${about.handler} gave up (${placeOf(about)}, ${reason}): ${messageOf(error)}`, stackOf(error));
  });
  events.on('discarded', ({ reason, error, ...about }) => {
    const what = `${about.handler} gave up, and the message is not kept (${placeOf(about)}, ${reason})`;
    logger.error(`${what}: ${messageOf(error)}`, stackOf(error));
  });
  events.on('late-outcome', ({ handler, subject, attempt, outcome, error }) => {
    const how = error === undefined ? outcome : `${outcome}: ${messageOf(error)}`;
    logger.warn(`${handler} ended after attempt ${attempt} at ${subject} was given up (${how}): its result is ignored`);
  });
  events.on('reply-dropped', ({ why, queue = '', ...about }) => {
    const shown = JSON.stringify(queue.slice(0, maxShownCharacters));
    const reason =
      why === 'requester-gone' ? 'its requester is gone' : `its replyTo names queue ${shown}, ${problems[why]}`;
    logger.warn(`The reply of ${about.handler} was dropped (${placeOf(about)}): ${reason}`);
  });
  events.on('parked', ({ source, messageId, reason, error }) => {
    const place = placeOf({ handler: '', source, messageId });
    const why = error === undefined ? reason : `${reason}: ${messageOf(error)}`;
    logger.warn(`A message was parked in its queue (${place}): ${why}`);
  });
  events.on('lease-lost', ({ source, partition, group }) => {
    const place = partition === undefined ? source : `${source}, partition ${partition}, group ${group}`;
    logger.warn(`Lease lost on ${place}: other consumers handle its messages now`);
  });
  // A consumer looks for a deleted queue until it is declared again: this is logged once.
  const missing = new Set<string>();
  events.on('consumer-started', () => missing.clear());
  events.on('background-error', ({ duty, error, heldBack = 0 }) => {
    if (isInstance(error, TopologyNotFoundError)) {
      if (missing.has(duty)) return;
      missing.add(duty);
    }
    const isOutage = redisFailure(error).failure === 'unavailable' || isInstance(error, UnavailableError);
    if (!isOutage || isUp) {
      const more = heldBack === 0 ? '' : ` (and ${heldBack} times before that)`;
      logger.warn(`${duty} failed, trying again: ${failureText(error)}${more}`);
    }
  });
  events.on('group-expired', ({ group }) => {
    logger.warn(`Group ${group} had no members for longer than offsetsRetentionMs: it and its offsets were removed`);
  });
  events.on('batch-unreadable', ({ group, error }) => {
    logger.error(`Group ${group} stands still: ${messageOf(error)}`);
  });
  events.on('foreign-entries', ({ topic, partition, removed }) => {
    const what = removed === 0 ? 'entries between its batches were skipped' : `${removed} entries were removed`;
    logger.warn(`Another program writes into the stream of ${topic}/${partition}: ${what}`);
  });
  events.on('records-expired-unread', ({ topic, partition, group, count }) => {
    logger.warn(`Retention removed ${count} records of ${topic}/${partition} that group ${group} had not read`);
  });
  events.on('offset-out-of-range', ({ topic, partition, group, from, to, why }) => {
    logger.warn(`Group ${group} was moved from offset ${from} to ${to} of ${topic}/${partition}: ${why}`);
  });
}

/** What is wrong with the queue that a reply should go to. */
const problems = {
  'not-allowed': 'which replyQueues of the consumer do not allow',
  'queue-missing': 'which does not exist',
  'queue-full': 'which is full',
};

/** Keys and ids come from users: they may be long and contain line breaks. */
const maxShownCharacters = 100;

/** `topic:orders, partition 0, offset 17, key "a"` or `queue:mail, message "x"`. */
function placeOf({ source, partition, offset, key, messageId }: HandlerLabels & MessageIdentity): string {
  const parts = [source];
  if (partition !== undefined) parts.push(`partition ${partition}`, `offset ${offset}`);
  if (key !== undefined) parts.push(`key ${JSON.stringify(key.slice(0, maxShownCharacters))}`);
  if (messageId !== undefined) parts.push(`message ${JSON.stringify(messageId.slice(0, maxShownCharacters))}`);
  return parts.join(', ');
}

function stackOf(error: unknown): string | undefined {
  return describeFailure(error).stack || undefined;
}
