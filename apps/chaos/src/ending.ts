import type { Log, LogRecord } from '@millrace/log';
import { deadLetterHeaders } from '@millrace/log';
import type { Broker } from '@millrace/queue';
import type { RedisServer } from '@millrace/testing';
import { waitFor } from '@millrace/testing';
import { deadTopic, exchange, groups, type Payload, queues, topic } from './load.js';
import type { FinalState } from './model/evidence.js';
import type { RecordPlace } from './model/journal-entry.js';

const drainTimeoutMs = 60_000;
const pageSize = 500;

/** Waits until nothing waits any more; answers what still does when the time is over. */
export async function drain(log: Log, broker: Broker): Promise<string[]> {
  let left: string[] = ['nothing could be read'];
  const isDrained = async (): Promise<boolean> => {
    left = [...(await undrainedPartitions(log)), ...(await undrainedQueues(broker))];
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
  const counts = await Promise.all(queues.map((queue) => broker.queue(queue).counts()));
  return counts.flatMap(({ consumers, ...states }, index) =>
    Object.values(states).some((count) => count > 0)
      ? [`queue ${queues[index]}: ${JSON.stringify(states)}, ${consumers} consumers`]
      : [],
  );
}

/** Reads everything that is in the log, and all dead letters. */
export async function readAll(
  log: Log,
  broker: Broker,
): Promise<Pick<FinalState, 'records' | 'deadRecords' | 'deadMessages'>> {
  const records = (await recordsOf(log, topic)).map(({ partition, offset, value }) => ({
    topic,
    partition,
    offset,
    ...value,
  }));
  const dead = await recordsOf(log, deadTopic);
  return { records, deadRecords: dead.map(originOf), deadMessages: await deadMessages(broker) };
}

async function recordsOf(log: Log, name: string): Promise<LogRecord<Payload>[]> {
  const known = (await log.listTopics()).find((declared) => declared.name === name);
  const records: LogRecord<Payload>[] = [];
  for (let partition = 0; partition < (known?.partitions ?? 0); partition++) {
    for await (const record of log.read<Payload>({ topic: name, partition })) records.push(record);
  }
  return records;
}

function originOf({ headers, value }: LogRecord<Payload>): RecordPlace {
  const { partition, offset } = deadLetterHeaders;
  return { topic, partition: Number(headers[partition]), offset: Number(headers[offset]), ...value };
}

async function deadMessages(broker: Broker): Promise<FinalState['deadMessages']> {
  const found: { queue: string; id: string }[] = [];
  for (const queue of queues) {
    const dead = broker.queue(`${queue}.dead-letters`);
    if ((await dead.counts().catch(() => undefined)) === undefined) continue;
    for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
      const page = await dead.ready({ limit: pageSize, cursor });
      found.push(...page.messages.map(({ messageId: id }) => ({ queue, id })));
      cursor = page.cursor;
    }
  }
  return found;
}

/** Deletes everything that was declared. Nobody may be at work any more. */
export async function deleteAll(log: Log, broker: Broker): Promise<void> {
  for (const group of Object.keys(groups)) await log.groups.delete(group);
  for (const { name } of await log.listTopics()) await log.deleteTopic(name);
  for (const queue of queues) {
    await broker.deleteQueue(queue);
    await broker.deleteQueue(`${queue}.dead-letters`);
  }
  await broker.deleteExchange(exchange);
}

/** Counters that outlive what they counted: a name that comes again must not get an old number. */
const kept = [/\{topology\}:topic-ids$/, /\{topology\}:meta$/];

/** Keys that nobody will remove: what is to go by itself has a time to live. */
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
