import { WriteError } from '@millrace/core';
import { Log } from '@millrace/log';
import { Broker } from '@millrace/queue';
import { RedisConnection } from '@millrace/redis';
import { Journal, machineClock } from './journal.js';
import {
  boundedQueue,
  crowdQueue,
  exchange,
  lineQueue,
  type Payload,
  readAssignment,
  shortLivedTopic,
  topic,
  workQueue,
} from './load.js';

// A process that sends to the log and publishes to the queues, and writes down what was confirmed to it. SIGTERM: it sends
// no more, waits for every answer, and ends.

const tickMs = 20;
const maxOutstanding = 2000;
const keyCount = 12;
const { name, journalFolder, connection: input, rate, minReplicas } = readAssignment();
const journal = new Journal(journalFolder, name);
const connection = new RedisConnection({ ...input, name });
await connection.whenReady(60_000);
const log = new Log(connection);
const broker = new Broker(connection, { minReplicas });
const producer = log.producer(minReplicas > 0 ? { acks: 'all', minReplicas } : {});
const sequences = new Map<string, number>();
const outstanding = new Set<Promise<void>>();
let turn = 0;
let due = 0;

const timer = setInterval(() => {
  due += (rate * tickMs) / 1000;
  for (; due >= 1; due--) {
    if (outstanding.size >= maxOutstanding) continue;
    turn++;
    track(send(next(`${name}-k${turn % keyCount}`)));
    track(publishFate(turn));
    track(crowd(turn));
    if (turn % 4 === 0) track(publish(next(`${name}-t`), 'twins'));
    if (turn % 5 === 1) track(publish(next(`${name}-l`), lineQueue));
    if (turn % 5 === 0) track(campaign(`${name}-c${turn}`));
  }
}, tickMs);
process.once('SIGTERM', () => void end());
console.log('ready');

/** Sequence numbers belong to a key, and keys to one incarnation of one process. */
function next(key: string): Payload {
  const seq = sequences.get(key) ?? 0;
  sequences.set(key, seq + 1);
  return { key, seq };
}

function track(work: Promise<void>): void {
  outstanding.add(work);
  void work.finally(() => outstanding.delete(work));
}

async function send(value: Payload): Promise<void> {
  try {
    const { partition, offset } = await producer.send({ topic, key: value.key, value });
    journal.write({ kind: 'record-confirmed', topic, partition, offset, ...value });
  } catch (error) {
    journal.write({ kind: 'record-failed', ...value, failure: describe(error) });
  }
}

/** Into the topic that may be another one by the time it arrives. */
async function campaign(id: string): Promise<void> {
  const sentAt = machineClock();
  try {
    const { offset } = await producer.send({ topic: shortLivedTopic, key: id, value: id });
    journal.write({ kind: 'campaign-confirmed', id, offset, sentAt });
  } catch (error) {
    journal.note('campaign failed', { id, failure: describe(error) });
  }
}

/** Every third to both queues; every seventh to the work queue later. */
function publishFate(number: number): Promise<void> {
  const delayMs = number % 7 === 0 ? 200 + ((number * 37) % 2000) : 0;
  const routingKey =
    delayMs > 0 ? `${workQueue}.later` : number % 3 === 0 ? 'both' : number % 3 === 1 ? workQueue : boundedQueue;
  return publish(next(`${name}-q`), routingKey, delayMs);
}

async function publish(value: Payload, routingKey: string, delayMs = 0): Promise<void> {
  const id = `${value.key}-${value.seq}`;
  const [sentAt, sentMs] = [machineClock(), Date.now()];
  try {
    const options = { messageId: id, mandatory: true, ...(delayMs > 0 ? { delayMs } : {}) };
    const { queues, refused } = await broker.publish(exchange, routingKey, value, options);
    const deadLetteredBy = refused.filter(({ isDeadLettered }) => isDeadLettered).map(({ queue }) => queue);
    const refusedBy = refused.filter(({ isDeadLettered }) => !isDeadLettered).map(({ queue }) => queue);
    journal.write({ kind: 'message-confirmed', id, queues, deadLetteredBy, refusedBy, sentAt, sentMs, delayMs });
  } catch (error) {
    journal.write({ kind: 'message-failed', id, failure: describe(error) });
  }
}

/** Every fortieth stays, the others expire at different times. */
async function crowd(number: number): Promise<void> {
  const id = `${name}-w-${number}`;
  const stays = number % 40 === 0;
  const sentAt = machineClock();
  try {
    const options = { messageId: id, ...(stays ? {} : { expirationMs: 100 + ((number * 37) % 3000) }) };
    await broker.sendToQueue(crowdQueue, id, options);
    if (stays) journal.write({ kind: 'stay-confirmed', id, sentAt });
  } catch (error) {
    journal.note('crowd failed', { id, failure: describe(error) });
  }
}

function describe(error: unknown): string {
  if (error instanceof WriteError)
    return `${error.failure}${error.mayBeWritten ? ', may be written' : ''}: ${error.message}`;
  return String(error);
}

async function end(): Promise<void> {
  clearInterval(timer);
  while (outstanding.size > 0) await Promise.all(outstanding);
  await Promise.all([log.close(), broker.close()]);
  connection.close();
  journal.close();
}
