import { DeadLetter, Drop, RetryLater } from '@millrace/core';
import { type Broker, type MessageContext, RequestTimeoutError } from '@millrace/queue';
import { waitFor } from '@millrace/testing';
import { type ReachAs, RolePlay } from './roles.js';

/** Everything that producers, consumers and operators of queues do, each over a connection of its own role. */
export async function useQueues(reachAs: ReachAs): Promise<readonly unknown[]> {
  const play = new RolePlay(reachAs);
  const operator = await play.broker('queue-operator');
  const producer = await play.broker('queue-producer');
  await declare(operator);
  await publish(producer);
  const stop = await consume([await play.broker('queue-consumer'), await play.broker('queue-consumer')]);
  const items: unknown[] = [];
  for await (const item of producer.requestStream('', 'questions', 'which')) items.push(item);
  if (items.length !== 200) throw new Error(`200 items were asked for, ${items.length} came`);
  await producer.request('', 'unanswered', 'why', { timeoutMs: 20 }).catch((error: unknown) => {
    if (!(error instanceof RequestTimeoutError)) throw error;
  });
  const counts = (queue: string) => operator.queue(queue).counts();
  await waitFor(async () => (await counts('mail.dead-letters')).ready >= 3, { what: 'dead letters to arrive' });
  await waitFor(async () => (await counts('steps')).parked === 1, { what: 'one to be parked' });
  await waitFor(async () => Object.values(await counts('mail')).join() === '0,0,0,0,0,2,1', {
    what: 'mail to be done',
  });
  await stop();
  await setRight(operator, producer);
  await play.close();
  return play.errors;
}

/** Dead letters' queues too: a consumer may not declare. */
async function declare(operator: Broker): Promise<void> {
  await operator.declare({
    exchanges: [{ name: 'events', type: 'topic' }],
    queues: [
      {
        name: 'mail',
        maxLength: 1000,
        maxBytes: 1_000_000,
        priorities: 2,
        maxPerSecond: 10_000,
        keepCompleted: { count: 2, ageMs: 60_000 },
      },
      { name: 'mail.dead-letters' },
      { name: 'steps', singleActiveConsumer: true, deadLetter: { queue: 'mail.dead-letters' } },
      { name: 'short', messageTtlMs: 1, deadLetter: { queue: 'mail.dead-letters' } },
      { name: 'questions' },
      { name: 'unanswered' },
      { name: 'unused', idleExpiryMs: 1 },
    ],
    bindings: [
      { exchange: 'events', queue: 'mail', routingKey: 'mail.#' },
      { exchange: 'events', queue: 'steps', routingKey: 'step.*' },
    ],
  });
}

/** Routed, delayed, with priorities, deduplicated, and one that expires. */
async function publish(producer: Broker): Promise<void> {
  for (let n = 0; n < 12; n++) await producer.publish('events', 'mail.new', n, { priority: n % 2 });
  await producer.publish('events', 'step.one', 'one', { delayMs: 5 });
  await producer.publish('events', 'step.nowhere', 'parked', { messageId: 'once' });
  await producer.publish('events', 'step.nowhere', 'parked', { messageId: 'once' });
  await producer.sendToQueue('short', 'expires', { expirationMs: 1 });
}

/** Every way in which a message can end; returns a function that stops. */
async function consume([first, second]: readonly [Broker, Broker]): Promise<() => Promise<void>> {
  let isPostponed = false;
  const handler = async (value: unknown, context: MessageContext) => {
    await context.progress({ at: value });
    if (value === 1) throw new Error('never');
    if (value === 2) throw new DeadLetter('no use');
    if (value === 3) throw new Drop('done with');
    if (value !== 4 || isPostponed) return value;
    isPostponed = true;
    throw new RetryLater(5);
  };
  const items = async function* () {
    for (let n = 0; n < 200; n++) yield n;
  };
  const retry = { maxRetries: 1, backoff: 1 };
  const handlers = [{ pattern: 'step.one', handler }];
  const consumers = [
    first.consumer({ queue: 'mail', handler, retry, keepResultMs: 60_000 }),
    second.consumer({ queue: 'steps', retry, handlers }),
    first.consumer({ queue: 'steps', retry, priority: 1, handlers }),
    second.consumer({ queue: 'questions', handler: items }),
  ];
  for (const consumer of consumers) await consumer.start();
  return async () => {
    for (const consumer of consumers) await consumer.stop();
  };
}

async function setRight(operator: Broker, producer: Broker): Promise<void> {
  const mail = operator.queue('mail');
  await mail.pause();
  const { messageId } = await producer.publish('events', 'mail.new', 'looked at');
  await mail.message(messageId);
  await producer.publish('events', 'mail.new', 'on the second page');
  const { cursor } = await mail.ready({ limit: 1 });
  await mail.ready({ cursor });
  await mail.delayed();
  const { cursor: older, messages: kept } = await mail.completed({ limit: 1 });
  await mail.completed({ cursor: older });
  await mail.message(kept[0]?.messageId ?? '');
  await mail.purgeCompleted();
  await mail.cancel(messageId);
  await mail.isPaused();
  await mail.resume();
  await operator.queue('steps').unpark();
  const dead = operator.queue('mail.dead-letters').deadLetters;
  const [letter] = (await dead.list()).messages;
  if (letter !== undefined) await dead.edit(letter.id, { payload: 'mended' });
  await dead.redrive({ limit: 1 });
  await dead.purge();
  const isUnusedGone = async () => (await operator.plan({ queues: [{ name: 'unused' }] })).length > 0;
  await waitFor(isUnusedGone, { what: 'the unused queue to be removed' });
  await operator.unbind({ exchange: 'events', queue: 'mail', routingKey: 'mail.#' });
  await operator.deleteQueue('mail');
  await operator.deleteExchange('events');
}
