import { RetryLater, WriteError } from '@millrace/core';
import type { GroupConsumer, Log } from '@millrace/log';
import { waitFor } from '@millrace/testing';
import { type ReachAs, RolePlay } from './roles.js';

/** Everything that producers, consumers and operators of a log do, each over a connection of its own role. */
export async function useLog(reachAs: ReachAs): Promise<readonly unknown[]> {
  const play = new RolePlay(reachAs);
  const operator = await play.log('log-operator');
  const producing = await play.log('log-producer');
  await declare(operator);
  await produce(producing);
  const handled = new Set<unknown>();
  const [a, b] = [consumer(await play.log('log-consumer'), handled), consumer(await play.log('log-consumer'), handled)];
  await a.start();
  await waitFor(() => a.assignment.length === 2, { what: 'the first to have all' });
  await b.start();
  await waitFor(() => a.assignment.length === 1 && b.assignment.length === 1, { what: 'both to share' });
  await waitFor(() => handled.size >= 12, { what: 'records to be handled' });
  const [mine] = a.assignment;
  if (mine !== undefined) await a.seek(mine, 0);
  await a.commit();
  await waitFor(async () => (await operator.groups.lag('billing')).every(({ lag }) => lag === 0), { what: 'no lag' });
  await operator.groups.describe('billing');
  await Promise.all([a.stop(), b.stop()]);
  await leaveBehind(await play.log('log-consumer'));
  await setRight(operator);
  await play.close();
  return play.errors;
}

/** Dead letters too: a consumer may not declare. */
async function declare(operator: Log): Promise<void> {
  await operator.declareTopic({ name: 'orders.dead-letters' });
  await operator.declareTopic({
    name: 'orders',
    partitions: 2,
    retention: { maxRecords: 1000, unread: 'reject' },
    deadLetter: { topic: 'orders.dead-letters' },
  });
}

/** By key, in batches, with the replicas that there are not. */
async function produce(log: Log): Promise<void> {
  const producer = log.producer();
  for (let n = 0; n < 10; n++) await producer.send({ topic: 'orders', key: `k${n}`, value: n });
  await producer.sendBatch([1, 2, 3].map((n) => ({ topic: 'orders', partition: n % 2, value: 100 + n })));
  await producer.close();
  const careful = log.producer({ acks: 'all', minReplicas: 1, replicaTimeoutMs: 20, deliveryTimeoutMs: 300 });
  await careful.send({ topic: 'orders', partition: 0, value: 'no replica' }).catch((error: unknown) => {
    if (!(error instanceof WriteError) || error.failure === 'denied') throw error;
  });
}

/** Handles, retries, postpones, gives up. */
function consumer(log: Log, handled: Set<unknown>): GroupConsumer {
  return log.consumer({
    group: 'billing',
    topics: 'orders',
    heartbeatMs: 50,
    retry: { maxRetries: 1, backoff: 1 },
    handler: (value) => {
      if (value === 3) throw new Error('never');
      if (value === 4 && !handled.has('later')) {
        handled.add('later');
        throw new RetryLater(5);
      }
      handled.add(value);
    },
  });
}

/** A static member that ends: it is waited for. */
async function leaveBehind(log: Log): Promise<void> {
  const pod = log.consumer({ group: 'pods', memberId: 'pod-1', topics: 'orders', handler: () => undefined });
  await pod.start();
  await pod.stop();
}

async function setRight(operator: Log): Promise<void> {
  await operator.groups.list();
  await operator.groups.resetOffsets('billing', { topic: 'orders', to: 'earliest' });
  await operator.redrive({ topic: 'orders.dead-letters' });
  await operator.listTopics();
  await operator.addPartitions('orders', 3);
  await operator.alterTopic('orders', { retention: { maxRecords: 5 } });
  await operator.applyRetention('orders');
  await operator.deleteRecords('orders', 0, 1);
  await operator.offsetForTimestamp('orders', 1, Date.now() - 1000);
  for await (const record of operator.read({ topic: 'orders', partition: 1 })) void record;
  const stop = new AbortController();
  const tail = operator.read({ topic: 'orders', partition: 1, from: 'latest', tail: true, signal: stop.signal });
  const next = tail.next();
  stop.abort();
  await next;
  await operator.groups.deleteOffsets('billing', 'orders');
  await operator.groups.removeMember('pods', 'pod-1');
  await operator.groups.expire('billing', 1_000_000);
  await operator.groups.delete('billing');
  await operator.deleteTopic('orders.dead-letters');
}
