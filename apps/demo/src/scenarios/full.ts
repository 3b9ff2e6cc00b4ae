import { WriteError } from '@millrace/core';
import type { Overflow } from '@millrace/queue';
import { startRedis, waitFor } from '@millrace/testing';
import type { Client, Stage } from '../stage.js';

export const watch =
  'three queues of at most three messages get five each, and do three different things. Then a Redis of 6 MB is filled to the brim and drained.';

export async function play(stage: Stage): Promise<void> {
  const redis = await startRedis({ maxmemory: '6mb' });
  const client = await stage.connect(redis.connection, { deliveryTimeoutMs: 500 });
  await fillQueue(stage, client, 'drop-head', { holds: [3, 4, 5], dead: [1, 2], refused: [] });
  await fillQueue(stage, client, 'reject-publish', { holds: [1, 2, 3], dead: [], refused: [4, 5] });
  await fillQueue(stage, client, 'dead-letter', { holds: [1, 2, 3], dead: [4, 5], refused: [4, 5] });
  await fillRedis(stage, client);
}

async function fillQueue(
  stage: Stage,
  { broker }: Client,
  overflow: Overflow,
  expected: Record<'holds' | 'dead' | 'refused', readonly number[]>,
): Promise<void> {
  const [name, deadName] = [`full-${overflow}`, `full-${overflow}.dead-letters`];
  const queue = { name, maxLength: 3, overflow, deadLetter: { queue: deadName } };
  await broker.declare({ queues: [queue, { name: deadName }] });
  const refused: number[] = [];
  for (const message of [1, 2, 3, 4, 5]) {
    const receipt = await broker.sendToQueue(name, message);
    if (receipt.refused.length > 0) refused.push(message);
  }
  const bodies = async (from: string) =>
    (await broker.queue(from).ready()).messages.map(({ body }) => Number(body)).sort();
  await waitFor(async () => (await bodies(deadName)).length >= expected.dead.length, {
    what: `${deadName} to get its messages`,
  });
  const found = { holds: await bodies(name), dead: await bodies(deadName), refused };
  stage.promised(
    `${overflow}: holds ${list(found.holds)}; dead letters ${list(found.dead)}; refused ${list(refused)}.`,
    JSON.stringify(found) === JSON.stringify(expected),
  );
}

async function fillRedis(stage: Stage, { broker, connection }: Client): Promise<void> {
  await broker.declareQueue({ name: 'jobs' });
  const body = 'x'.repeat(1000);
  const publish = () =>
    broker.publishBatch(Array.from({ length: 100 }, () => ({ exchange: '', routingKey: 'jobs', body })));
  let confirmed = 0;
  let error: unknown;
  while (error === undefined) {
    await publish().then(
      (receipts) => {
        confirmed += receipts.length;
      },
      (failure: unknown) => {
        error = failure;
      },
    );
  }
  const isClear = error instanceof WriteError && error.failure === 'full';
  stage.promised(`after ${confirmed} messages Redis is full, and publishing says so: ${message(error)}`, isClear);

  let handled = 0;
  await broker.consumer({ queue: 'jobs', concurrency: 50, handler: () => void handled++ }).start();
  const isEmpty = async (): Promise<boolean> =>
    (await connection.commands.hlen('millrace:{queue:jobs}:messages')) === 0;
  await waitFor(isEmpty, { what: 'the queue to be drained', timeoutMs: 20_000 });
  stage.promised(`a full Redis was drained: ${handled} handled, ${confirmed} were confirmed.`, handled >= confirmed);
  await broker.sendToQueue('jobs', 'one more');
  stage.promised('there is room again.', true);
}

function list(numbers: readonly number[]): string {
  return numbers.length === 0 ? 'nothing' : numbers.join(' ');
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
