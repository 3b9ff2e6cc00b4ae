import { startRedis, waitFor } from '@millrace/testing';
import type { Client, Stage } from '../stage.js';

const retry = { maxRetries: 3, backoff: { kind: 'list', delaysMs: [100, 200, 400] } } as const;
const count = 20;
const poison = 7;

export const watch =
  'message 7 of 20 makes its handler fail. It is tried again three times, the others do not wait for it, and it ends among the dead letters. Then the handler is mended.';

export async function play(stage: Stage): Promise<void> {
  const redis = await startRedis();
  const client = await stage.connect(redis.connection);
  await queue(stage, client);
  await log(stage, client);
}

async function queue(stage: Stage, { broker }: Client): Promise<void> {
  const handler = new Handler(stage);
  await broker.declareQueue({ name: 'emails' });
  await broker.consumer({ queue: 'emails', concurrency: 1, retry, handler: (email) => handler.handle(email) }).start();
  await broker.publishBatch(numbers().map((body) => ({ exchange: '', routingKey: 'emails', body })));
  stage.say(`${count} messages in queue emails; one consumer, one message at a time.`);

  const dead = broker.queue('emails.dead-letters').deadLetters;
  const list = async () => (await dead.list().catch(() => ({ messages: [] }))).messages;
  await waitFor(async () => (await list()).length === 1, { what: 'the dead letter' });
  const [letter] = await list();
  const [death] = letter?.deaths ?? [];
  stage.say(
    `emails.dead-letters holds message ${letter?.body}: ${death?.reason} in ${death?.queue}, "${death?.error?.message}".`,
  );
  handler.judge();

  handler.isMended = true;
  const { redriven } = await dead.redrive();
  stage.say(`The handler is mended, ${redriven} dead letter is sent back.`);
  await waitFor(() => handler.handled.includes(poison), { what: 'the message to be handled' });
  stage.promised(`message ${poison} was handled, and no dead letter is left.`, (await list()).length === 0);
}

async function log(stage: Stage, { log: orders }: Client): Promise<void> {
  const handler = new Handler(stage);
  const topic = 'orders';
  await orders.declareTopic({ name: topic });
  await orders.consumer({ group: 'billing', topics: topic, retry, handler: (order) => handler.handle(order) }).start();
  await orders.producer().sendBatch(numbers().map((value) => ({ topic, key: `user-${value}`, value })));
  stage.say(`The same in a log: ${count} records in one partition of topic ${topic}, each of another user.`);

  const dead = 'orders.dead-letters';
  const isThere = async () => (await orders.endOffset(dead, 0)) === 1;
  await waitFor(isThere, { what: 'the dead letter' });
  const lag = async () => (await orders.groups.lag('billing')).find((place) => place.topic === topic)?.lag;
  await waitFor(async () => (await lag()) === 0, { what: 'the offset to move on' });
  stage.say(`${dead} holds the record, and the committed offset has moved on: lag ${await lag()}.`);
  handler.judge();

  handler.isMended = true;
  const { redriven } = await orders.redrive({ topic: dead });
  stage.say(`The handler is mended, ${redriven} dead letter is sent back.`);
  await waitFor(() => handler.handled.includes(poison), { what: 'the record to be handled' });
  stage.promised(`record ${poison} was handled.`, handler.handled.length === count);
}

function numbers(): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

/** Fails for the poison until it is mended, and remembers what came when. */
class Handler {
  readonly handled: number[] = [];
  isMended = false;
  readonly #stage: Stage;
  /** At each attempt, how many others were handled before it. */
  readonly #attempts: number[] = [];

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  handle(message: unknown): void {
    if (message === poison && !this.isMended) {
      this.#attempts.push(this.handled.length);
      this.#stage.say(`Attempt ${this.#attempts.length} fails, ${this.handled.length} others are handled by now.`);
      throw new Error(`no way to handle ${poison}`);
    }
    this.handled.push(Number(message));
  }

  judge(): void {
    this.#stage.promised(
      'one attempt and three retries, then given up.',
      this.#attempts.length === 1 + retry.maxRetries,
    );
    this.#stage.promised(`the other ${count - 1} were handled meanwhile.`, this.#attempts.at(-1) === count - 1);
  }
}
