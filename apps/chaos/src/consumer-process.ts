import { DeadLetter, UnavailableError } from '@millrace/core';
import { Events, type Service } from '@millrace/delivery';
import { type BatchContext, type BatchRecord, Log, type RecordContext } from '@millrace/log';
import { Broker, type MessageContext, type QueueConsumer } from '@millrace/queue';
import { RedisConnection } from '@millrace/redis';
import { Journal } from './journal.js';
import {
  batchGroup,
  boundedQueue,
  fateOf,
  group,
  isTwinDoomed,
  leaseMs,
  lineQueue,
  type Payload,
  prefetch,
  readAssignment,
  shortLivedGroup,
  shortLivedTopic,
  topic,
  twinQueues,
  workQueue,
} from './load.js';
import { SelfFaults } from './self-faults.js';

// A process that is a member of the group and a consumer of both queues, and writes down what it does: what it begins
// before anything else, what it handled before it answers. SIGTERM stops it orderly.

const { name, journalFolder, connection: input, minReplicas, isLone } = readAssignment();
const journal = new Journal(journalFolder, name);
const selfFaults = new SelfFaults(journalFolder, name, journal);
/** A function that throws now and then must not matter: neither may a listener. */
const backoff = (): number => {
  selfFaults.mayThrow();
  return 150;
};
const retry = { maxRetries: 2, backoff };
const connection = new RedisConnection({ ...input, name });
await connection.whenReady(60_000);
const events = new Events();
watch(events);
const log = new Log(connection, { events });
// The consumer that gives a message up publishes it again, to its dead letters.
const broker = new Broker(connection, { events, minReplicas });
const member = log.consumer({
  group,
  topics: topic,
  leaseMs,
  heartbeatMs: 300,
  minReplicas,
  concurrency: 8,
  retry,
  handler: handleRecord,
});
/** Readers of what the first group reads, in batches, and of the topic that is another one now and then. */
const readers = [
  log.consumer({
    group: batchGroup,
    topics: topic,
    leaseMs,
    heartbeatMs: 300,
    minReplicas,
    batch: { maxRecords: 50, lingerMs: 100 },
    batchHandler: handleBatch,
  }),
  log.consumer({
    group: shortLivedGroup,
    topics: shortLivedTopic,
    leaseMs,
    heartbeatMs: 300,
    minReplicas,
    from: 'latest',
    handler: (payload: unknown) => journal.write({ kind: 'campaign-handled', id: String(payload) }),
  }),
];
const consumers = [
  broker.consumer({
    queue: workQueue,
    leaseMs,
    concurrency: 8,
    prefetch: prefetch[workQueue],
    retry,
    handler: handleMessage(2),
  }),
  broker.consumer({
    queue: boundedQueue,
    leaseMs,
    concurrency: 3,
    prefetch: prefetch[boundedQueue],
    retry,
    handler: handleMessage(20),
  }),
  ...twinQueues.map((queue) =>
    broker.consumer({ queue, leaseMs, concurrency: 4, prefetch: prefetch[queue], retry, handler: handleTwin }),
  ),
];
if (isLone) consumers.push(loneConsumer());
process.once('SIGTERM', () => void end());
await Promise.all([member, ...readers, ...consumers].map(start));
console.log('ready');

async function handleRecord(payload: unknown, context: RecordContext): Promise<void> {
  const { partition, offset, epoch, attempt } = context;
  const { key, seq } = payload as Payload;
  const what = { topic, partition, offset, epoch, attempt, key, seq };
  journal.write({ kind: 'record-begun', ...what });
  await work(2);
  failByFate({ key, seq }, attempt);
  journal.write({ kind: 'record-handled', ...what });
}

async function handleBatch(records: readonly BatchRecord[], { partition }: BatchContext): Promise<void> {
  await work(2);
  for (const { payload, offset } of records) {
    const { key, seq } = payload as Payload;
    journal.write({ kind: 'record-batched', topic, partition, offset, key, seq });
  }
}

function handleMessage(ms: number) {
  return async (payload: unknown, { queue, messageId: id, attempt }: MessageContext): Promise<void> => {
    journal.write({ kind: 'message-begun', queue, id, attempt, clockMs: Date.now() });
    await work(ms);
    failByFate(payload as Payload, attempt);
    journal.write({ kind: 'message-handled', queue, id, attempt, clockMs: Date.now() });
  };
}

async function handleTwin(payload: unknown, { queue, messageId: id, attempt }: MessageContext): Promise<void> {
  journal.write({ kind: 'message-begun', queue, id, attempt, clockMs: Date.now() });
  await work(2);
  if (isTwinDoomed(payload as Payload)) throw new DeadLetter('it was to die');
  journal.write({ kind: 'message-handled', queue, id, attempt, clockMs: Date.now() });
}

/** One after the other, none of which fails. Under which registration it has them is written down. */
function loneConsumer(): QueueConsumer {
  let noted: string | undefined;
  const consumer = broker.consumer({
    queue: lineQueue,
    leaseMs,
    concurrency: 1,
    prefetch: prefetch[lineQueue],
    retry,
    handler: async (_payload, { queue, messageId: id, attempt }) => {
      const { consumer: registration } = consumer.status;
      if (registration !== undefined && registration !== noted)
        journal.write({ kind: 'registered', queue, registration });
      noted = registration;
      journal.write({ kind: 'message-begun', queue, id, attempt, clockMs: Date.now() });
      await work(2);
      journal.write({ kind: 'message-handled', queue, id, attempt, clockMs: Date.now() });
    },
  });
  return consumer;
}

function failByFate(payload: Payload, attempt: number): void {
  const fate = fateOf(payload);
  if (fate === 'poison') throw new Error('this one always fails');
  if (fate === 'flaky' && attempt === 1) throw new Error('this one fails once');
}

/** Redis may go away in the middle of a start: that is said, and tried again. Whatever else goes wrong ends the process. */
async function start(consumer: Service): Promise<void> {
  for (;;) {
    try {
      return await consumer.start();
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      journal.note('start-failed', error.message);
    }
  }
}

/** A handler that waits for something, as handlers do. */
function work(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function watch(events: Events): void {
  const epochs = new Map<number, number>();
  events.on('partition-assigned', (event) => {
    if (event.group === group) epochs.set(event.partition, event.epoch);
    journal.note('partition-assigned', event);
  });
  // Who owns what is judged by one group: the others have epochs of their own.
  events.on('committed', ({ group: of, topic, partition, offset }) => {
    const epoch = epochs.get(partition) ?? 0;
    if (of === group) journal.write({ kind: 'committed', topic, partition, offset, epoch });
  });
  for (const what of ['partition-revoked', 'lease-lost', 'offset-out-of-range', 'commit-refused'] as const) {
    events.on(what, (event: object) => journal.note(what, event));
  }
  for (const what of ['dead-lettered', 'discarded'] as const) {
    events.on(what, ({ source, reason }) => journal.note(what, { source, reason }));
  }
  for (const what of ['handled', 'committed', 'retry-scheduled', 'lease-lost', 'consumer-started'] as const) {
    events.on(what, () => selfFaults.mayThrow());
  }
  events.on('background-error', ({ duty, error }) => journal.note('background-error', { duty, error: String(error) }));
}

/** Each step is written down: of an end that takes too long the next question is which one. */
async function end(): Promise<void> {
  journal.note('ending', {});
  const step = (what: string, work: Promise<unknown>) => work.then(() => journal.note('step', what));
  const stopped = [member, ...readers, ...consumers].map((consumer: Service, index) =>
    step(`consumer ${index} stopped`, consumer.stop({ deadlineMs: 10_000 })),
  );
  await Promise.all(stopped);
  await Promise.all([step('log closed', log.close()), step('broker closed', broker.close())]);
  connection.close();
  journal.note('ended', {});
  journal.close();
}
