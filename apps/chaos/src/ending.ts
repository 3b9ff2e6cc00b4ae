import type { Log, LogRecord } from '@millrace/log';
import { deadLetterHeaders } from '@millrace/log';
import { type Broker, type QueuedMessage, queueKeys, waitingKeys } from '@millrace/queue';
import { asInteger, asList, type RedisConnection } from '@millrace/redis';
import type { RedisServer } from '@millrace/testing';
import { waitFor } from '@millrace/testing';
import {
  consumedQueues,
  crowdQueue,
  deadLetterQueues,
  deadTopic,
  exchange,
  groups,
  type Payload,
  queues,
  topic,
  twinQueues,
  workQueue,
} from './load.js';
import type { FinalState } from './model/evidence.js';
import type { JournaledRecord } from './model/journal-entry.js';

const drainTimeoutMs = 60_000;
const pageSize = 500;
/** Several pages, so that what begins where the last one ended is looked at. */
const completedPageSize = 60;

/** Waits until nothing waits any more; answers what still does when the time is over. */
export async function drain(log: Log, broker: Broker): Promise<string[]> {
  let left: string[] = ['nothing could be read'];
  const isDrained = async (): Promise<boolean> => {
    left = [...(await undrainedPartitions(log)), ...(await undrainedQueues(broker)), ...(await unexpired(broker))];
    return left.length === 0;
  };
  await waitFor(isDrained, { what: 'everything to be handled', timeoutMs: drainTimeoutMs, intervalMs: 100 }).catch(
    () => undefined,
  );
  return left;
}

async function undrainedPartitions(log: Log): Promise<string[]> {
  const lags = await Promise.all(
    Object.entries(groups).map(async ([group, read]) =>
      (await log.groups.lag(group))
        .filter(({ lag, topic: name }) => lag > 0 && name === read)
        .map(
          ({ partition, committed, end, owner }) =>
            `group ${group}, partition ${partition}: ${committed} of ${end}, owner ${owner ?? 'none'}`,
        ),
    ),
  );
  return lags.flat();
}

async function undrainedQueues(broker: Broker): Promise<string[]> {
  const counts = await Promise.all(consumedQueues.map((queue) => broker.queue(queue).counts()));
  return counts.flatMap(({ consumers, completed, ...states }, index) =>
    Object.values(states).some((count) => count > 0)
      ? [`queue ${consumedQueues[index]}: ${JSON.stringify(states)}, ${consumers} consumers`]
      : [],
  );
}

async function unexpired(broker: Broker): Promise<string[]> {
  const left = (await waitingIn(broker, crowdQueue)).filter(({ properties }) => properties.expirationMs !== undefined);
  const { completed } = await broker.queue(twinQueues[0]).counts();
  return [
    ...(left.length === 0 ? [] : [`queue ${crowdQueue}: ${left.length} have not expired`]),
    ...(completed === 0 ? [] : [`queue ${twinQueues[0]}: ${completed} completed messages are kept for too long`]),
  ];
}

/** Reads everything that is in the log, all dead letters, what stays, and the completed messages that are kept. */
export async function readAll(
  log: Log,
  broker: Broker,
): Promise<Pick<FinalState, 'records' | 'deadRecords' | 'deadMessages' | 'notFound' | 'stayed' | 'completed'>> {
  const records = (await recordsOf(log, topic)).map(({ partition, offset, value }) => ({
    topic,
    partition,
    offset,
    ...value,
  }));
  const dead = await recordsOf(log, deadTopic);
  const stayed = (await waitingIn(broker, crowdQueue)).map(({ messageId }) => messageId);
  const { deadMessages: lettersFound, notFound } = await deadMessages(broker);
  const { completed, notFound: completedNotFound } = await completedMessages(broker);
  return {
    records,
    deadRecords: dead.map(originOf),
    deadMessages: lettersFound,
    completed,
    notFound: [...notFound, ...completedNotFound],
    stayed,
  };
}

async function recordsOf(log: Log, name: string): Promise<LogRecord<Payload>[]> {
  const known = (await log.listTopics()).find((declared) => declared.name === name);
  const records: LogRecord<Payload>[] = [];
  for (let partition = 0; partition < (known?.partitions ?? 0); partition++) {
    for await (const record of log.read<Payload>({ topic: name, partition })) records.push(record);
  }
  return records;
}

function originOf({ headers, value }: LogRecord<Payload>): JournaledRecord {
  const { partition, offset } = deadLetterHeaders;
  return { topic, partition: Number(headers[partition]), offset: Number(headers[offset]), ...value };
}

/** Each is looked for by its id as well: it has the one that it was published with. */
async function deadMessages(broker: Broker): Promise<Pick<FinalState, 'deadMessages' | 'notFound'>> {
  const found: { queue: string; id: string }[] = [];
  const notFound: string[] = [];
  for (const name of deadLetterQueues) {
    const dead = broker.queue(name);
    if ((await dead.counts().catch(() => undefined)) === undefined) continue;
    for (const { messageId: id, deaths } of await waitingIn(broker, name)) {
      found.push({ queue: deaths[0]?.queue ?? '', id });
      if ((await dead.message(id)) === undefined) notFound.push(`${id} of ${name}`);
    }
  }
  return { deadMessages: found, notFound };
}

/** Each is looked for by its id as well. */
async function completedMessages(broker: Broker): Promise<Pick<FinalState, 'completed' | 'notFound'>> {
  const queue = broker.queue(workQueue);
  const completed: FinalState['completed'][number][] = [];
  const notFound: string[] = [];
  for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
    const page = await queue.completed({ limit: completedPageSize, cursor });
    for (const { messageId: id, completedAt } of page.messages) {
      completed.push({ queue: workQueue, id, completedAt });
      const found = await queue.message(id);
      if (found?.state !== 'completed' || found.completedAt !== completedAt)
        notFound.push(`${id}, completed, of ${workQueue}`);
    }
    cursor = page.cursor;
  }
  return { completed, notFound };
}

async function waitingIn(broker: Broker, queue: string): Promise<QueuedMessage[]> {
  const found: QueuedMessage[] = [];
  for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
    const page = await broker.queue(queue).ready({ limit: pageSize, cursor });
    found.push(...page.messages);
    cursor = page.cursor;
  }
  return found;
}

// KEYS 1 state 2 messages, then the lists in which messages wait
// RETURNS how many stale entries are counted, how many are listed, how many entries are listed
const staleScript = `
local stale, listed = 0, 0
for list = 3, #KEYS do
  for _, entry in ipairs(redis.call('LRANGE', KEYS[list], 0, -1)) do
    listed = listed + 1
    stale = stale + 1 - redis.call('HEXISTS', KEYS[2], entry)
  end
end
return {tonumber(redis.call('HGET', KEYS[1], 'stale') or 0), stale, listed}`;

/** So few stale entries are left where they are, or a fifth of all. */
const fewStale = 1000;

/** Stale entries that should be gone, once the upkeep has had its time, or that are not counted as they are. */
export async function staleEntries({ commands, prefix }: RedisConnection): Promise<string[]> {
  let problems: string[] = [];
  const look = async (): Promise<boolean> => {
    const found = await Promise.all(
      queues.map(async (queue) => {
        const keys = queueKeys(prefix, queue);
        const all = [keys.state, keys.messages, ...waitingKeys(keys, 1)];
        const [counted = 0, stale = 0, listed = 0] = asList(await commands.eval(staleScript, all.length, ...all)).map(
          asInteger,
        );
        const isRight = counted === stale && (stale < fewStale || 5 * stale < listed);
        return isRight ? [] : [`queue ${queue} counts ${counted} stale entries, has ${stale} of ${listed}`];
      }),
    );
    problems = found.flat();
    return problems.length === 0;
  };
  await waitFor(look, { what: 'the upkeep', timeoutMs: drainTimeoutMs, intervalMs: 500 }).catch(() => undefined);
  return problems;
}

/** Deletes everything that was declared. No process may be at work any more. */
export async function deleteAll(log: Log, broker: Broker): Promise<void> {
  for (const group of Object.keys(groups)) await log.groups.delete(group);
  for (const { name } of await log.listTopics()) await log.deleteTopic(name);
  for (const queue of [...queues, ...deadLetterQueues]) await broker.deleteQueue(queue);
  await broker.deleteExchange(exchange);
}

/** Counters, and the last changes, outlive what was declared: a name that comes again must not get an old number. */
const kept = [/\{topology\}:topic-ids$/, /\{topology\}:meta$/, /\{topology\}:changes$/];

/** Keys that no process will remove: those that go by themselves have a time to live. */
export async function leftoverKeys(servers: readonly RedisServer[]): Promise<string[]> {
  const left = new Set<string>();
  for (const server of servers) {
    const client = server.client();
    if (!(await client.info('replication')).includes('role:master')) continue;
    for (const key of await client.keys('*')) if ((await client.pttl(key)) === -1) left.add(key);
    client.disconnect();
  }
  return [...left].filter((key) => !kept.some((pattern) => pattern.test(key))).sort();
}
