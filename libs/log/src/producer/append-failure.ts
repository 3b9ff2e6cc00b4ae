import { InvalidMessageError, pause, shown, WriteError } from '@millrace/core';
import type { RedisFailure } from '@millrace/redis';
import type { Topic } from '../model/topic.js';
import type { SlowestGroup } from '../store/append.js';
import type { ProducerBatch } from './producer-batch.js';

/** The topic's retention is `reject`, and its slowest group is too far behind. */
export function overLimit({ group, committed }: SlowestGroup): RedisFailure {
  const way = `group "${group}", which is at offset ${committed}, has read some. If that group is unused: log.groups.delete("${group}")`;
  const until = group === '' ? 'a group has read some' : way;
  const description = `the topic rejects more records (retention.unread "reject") until ${until}`;
  return { failure: 'full', mayBeWritten: false, isTemporary: true, description };
}

/** The batch waited while its topic was deleted and declared again, with another codec than its values are encoded with. */
export function otherCodec(batch: ProducerBatch, { codec }: Topic): RedisFailure {
  const [declared, encoded] = [JSON.stringify(codec), JSON.stringify(batch.topic.codec)];
  return {
    failure: 'rejected',
    mayBeWritten: false,
    isTemporary: false,
    description:
      `the topic was deleted and declared again with the codec ${declared} while this waited, encoded as ${encoded}. ` +
      'Send it again: it is then encoded for the new topic',
  };
}

/** The foreign entry that blocks the append is removed, if this Redis user may do that. */
export const blocked: RedisFailure = {
  failure: 'rejected',
  mayBeWritten: false,
  isTemporary: true,
  description:
    "another program wrote into the partition's stream past the log's end. The upkeep of topics removes that, " +
    'or log.removeForeignEntries() now',
};

/** The batch was not sent. */
export const notConnected: RedisFailure = {
  failure: 'unavailable',
  mayBeWritten: false,
  isTemporary: true,
  description: 'there is no connection to Redis',
};

/** The batch's number is too old: Redis no longer remembers its result. */
export const forgotten: RedisFailure = {
  failure: 'rejected',
  mayBeWritten: true,
  isTemporary: false,
  description: 'Redis knows newer batches of this producer',
};

/** The leader has the batch, but too few replicas confirmed it. */
export function unconfirmed(confirmations: string): RedisFailure {
  return { failure: 'not-enough-replicas', mayBeWritten: true, isTemporary: false, description: confirmations };
}

/** The error for the callers of an unconfirmed batch: its last failure, and why it ends now. */
export function writeError(batch: ProducerBatch, partition: number, why: string, cause?: unknown): WriteError {
  const records = batch.count === 1 ? 'a record' : `${batch.count} records`;
  return new WriteError(`${records} for topic "${batch.topicName}", partition ${partition}: ${why}.`, {
    failure: batch.lastFailure?.failure ?? 'timeout',
    mayBeWritten: batch.mayBeWritten,
    cause,
  });
}

/** Fails a batch that will not be sent again. */
export function refuse(batch: ProducerBatch, partition: number, failure: RedisFailure, cause?: unknown): void {
  batch.note(failure);
  batch.fail(writeError(batch, partition, failure.description, cause));
}

/** The delivery timeout of the batch has passed. */
export function overdue(batch: ProducerBatch, partition: number, timeoutMs: number): WriteError {
  const why = batch.lastFailure?.description ?? (batch.mayBeWritten ? 'Redis did not reply' : 'it could not be sent');
  return writeError(batch, partition, `not confirmed within ${timeoutMs} ms (${why})`);
}

/** A caller without types passed a single record, or an iterable that is not an array. */
export function noRecords(given: unknown): InvalidMessageError {
  return new InvalidMessageError(
    `sendBatch takes an array of records, got ${typeof given === 'string' ? 'a string' : shown(given)}.`,
  );
}

/** After the first failure 10 ms, doubling to 500 ms, ± 20 %: so that a Redis that is full or just back is not flooded. */
export function restAfter(failuresBefore: number): Promise<void> {
  return pause(Math.min(10 * 2 ** failuresBefore, 500) * (0.8 + Math.random() * 0.4));
}
