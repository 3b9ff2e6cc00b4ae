import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startRedis, stopEverything, waitFor } from '@millrace/testing';
import { type OpenBroker, openBroker, ownPrefix } from './broker.js';

describe('a batch handler', () => {
  let opened: OpenBroker;
  let count = 0;
  beforeAll(async () => {
    opened = await openBroker(await startRedis(), ownPrefix());
  });
  afterAll(async () => {
    await opened.close();
    await stopEverything();
  });

  /** Handles a batch of two; how often it ran, and how many dead letters there are when the queue is empty. */
  async function handled(answer: unknown) {
    const name = `q${count++}`;
    const { broker } = opened;
    await broker.declareQueue({ name });
    await broker.declareQueue({ name: `${name}.dead-letters` });
    await broker.publishBatch([1, 2].map((body) => ({ exchange: '', routingKey: name, body })));
    const rows: unknown[] = [];
    const consumer = broker.consumer({
      queue: name,
      batch: { maxMessages: 2, maxWaitMs: 10_000 },
      retry: { maxRetries: 3, backoff: 0 },
      batchHandler: (messages) => {
        rows.push(...messages.map(({ payload }) => payload));
        return answer;
      },
    });
    await consumer.start();
    const isOver = async () => {
      const { ready, delayed, unacked, dying } = await broker.queue(name).counts();
      return ready + delayed + unacked + dying === 0;
    };
    await waitFor(isOver, { what: 'the queue to be empty' });
    const dead = await broker.queue(`${name}.dead-letters`).counts();
    await consumer.stop();
    return { rows, dead: dead.ready };
  }

  it.each([true, 2, 'INSERT 0 2', null, { affectedRows: 2 }, [], [{ id: 1 }, { id: 2 }, { id: 3 }]])(
    'that answers %j has handled its messages, once',
    async (answer) => {
      expect(await handled(answer)).toEqual({ rows: [1, 2], dead: 0 });
    },
  );

  it('whose list with errors fits no messages makes them dead letters, and none is handled again', async () => {
    expect(await handled([new Error('whose?')])).toEqual({ rows: [1, 2], dead: 2 });
  });

  it('that answers an error has failed', async () => {
    expect(await handled(new Error('no'))).toEqual({ rows: [1, 2, 1, 2, 1, 2, 1, 2], dead: 2 });
  });
});
