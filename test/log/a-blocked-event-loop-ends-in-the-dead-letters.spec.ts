import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '@millrace/testing';
import { LogOnRedis } from './log-on-redis.js';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

function whenAborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => (signal.aborted ? resolve(undefined) : signal.addEventListener('abort', resolve)));
}

describe('a handler that blocks the event loop for longer than its lease, and then waits', () => {
  it.each([
    ['record', false],
    ['batch', true],
  ])('has its %s dead-lettered at the delivery limit, and its neighbours handled', async (what, isBatch) => {
    // given a handler that blocks at one value, and goes on until its signal is aborted
    const topic = await redis.topic({ partitions: 1 });
    const group = `blocked-${what}`;
    const seen: string[] = [];
    const reported: string[] = [];
    redis.log.events.on('background-error', ({ error }) => reported.push(error instanceof Error ? error.message : ''));
    const handle = async (value: unknown, { attempt, signal }: { attempt: number; signal: AbortSignal }) => {
      seen.push(`${value} #${attempt}`);
      if (value !== 'blocks') return;
      block(150);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    };
    const consumer = redis.log.consumer({
      group,
      topics: topic,
      leaseMs: 100,
      retry: false,
      deliveryLimit: 2,
      batch: { maxRecords: 1 },
      ...(isBatch
        ? { batchHandler: ([record], { signal }) => handle(record?.payload, { attempt: record?.attempt ?? 0, signal }) }
        : { handler: handle }),
    });

    // when it meets that value among others
    const values = ['before', 'blocks', 'after'];
    await redis.log.producer().sendBatch(values.map((value) => ({ topic, key: value, value })));
    await consumer.start();
    await waitFor(async () => (await redis.log.groups.lag(group))[0]?.lag === 0, { what: 'all to be done' });

    // then it came back as often as it may, as no failed attempt, and the dead letter says why
    expect(seen.filter((one) => one.startsWith('blocks'))).toEqual(['blocks #1', 'blocks #1', 'blocks #1']);
    const dead = await redis.records(`${topic}.dead-letters`);
    expect(dead.map(({ value }) => value)).toEqual(['blocks']);
    expect(dead[0]?.headers).toMatchObject({
      'millrace-reason': 'delivery_limit',
      'millrace-error-message': expect.stringMatching(/expired while it was handled, 3 times.*blocks the event loop/),
    });
    expect(seen).toEqual(expect.arrayContaining(['before #1', 'after #1']));
    expect(reported.filter((message) => message.includes('expired while it was handled'))).toHaveLength(3);
    await consumer.stop();
  });

  it.each([
    { what: 'a record', isBatch: false, deliveryLimit: 2, partitions: 4 },
    { what: 'a batch', isBatch: true, deliveryLimit: 2, partitions: 4 },
    { what: 'a record that may come back once', isBatch: false, deliveryLimit: 1, partitions: 2 },
    { what: 'a batch that may come back once', isBatch: true, deliveryLimit: 1, partitions: 2 },
  ])(
    'is $what that no neighbour is blamed for, in any partition',
    async ({ isBatch, deliveryLimit, partitions }) => {
      // given a value that blocks, and others that wait while it is in hand
      const topic = await redis.topic({ partitions });
      const group = `neighbours-${isBatch}-${deliveryLimit}`;
      const done = new Set<unknown>();
      let isBlocking = false;
      const handle = async (value: unknown, signal: AbortSignal): Promise<void> => {
        if (value === 'blocks') {
          isBlocking = true;
          block(900);
          await whenAborted(signal);
          isBlocking = false;
          return;
        }
        do await new Promise(setImmediate);
        while (isBlocking && !signal.aborted);
        if (!signal.aborted) done.add(value);
      };
      const consumer = redis.log.consumer({
        group,
        topics: topic,
        leaseMs: 700,
        retry: false,
        deliveryLimit,
        batch: { maxRecords: 1 },
        ...(isBatch
          ? { batchHandler: ([record], { signal }) => handle(record?.payload, signal) }
          : { handler: (value, { signal }) => handle(value, signal) }),
      });
      const neighbours = Array.from({ length: 2 * partitions }, (_, index) => `neighbour ${index}`);
      const records = neighbours.map((value, index) => ({ topic, key: value, partition: index % partitions, value }));
      await redis.log.producer().sendBatch([...records, { topic, key: 'blocks', partition: 0, value: 'blocks' }]);

      // when they meet
      await consumer.start();
      const left = async () => (await redis.log.groups.lag(group)).reduce((sum, { lag }) => sum + lag, 0);
      await waitFor(async () => (await left()) === 0, { what: 'all to be done', timeoutMs: 30_000 });
      await consumer.stop();

      // then it alone is dead
      expect([...done].sort()).toEqual(neighbours);
      const dead = [];
      for (let partition = 0; partition < partitions; partition++)
        dead.push(...(await redis.records(`${topic}.dead-letters`, partition)));
      expect(dead.map(({ value }) => value)).toEqual(['blocks']);
    },
    60_000,
  );

  it('has come back as often for the next owner as for the one before, which handles it alone', async () => {
    // given an owner that stops after a record failed, to be retried later, and the next one came back twice
    const topic = await redis.topic({ partitions: 1 });
    const group = 'handed-over';
    let begun = 0;
    let begunMeanwhile = 0;
    let reported = 0;
    const log = await redis.another();
    const blocks = async (signal: AbortSignal) => {
      begun++;
      block(700);
      await whenAborted(signal);
    };
    const neighbour = async () => {
      const before = begun;
      // By then the replies to what its consumer has sent are here.
      for (let calls = 0; calls < 5; calls++) await log.groups.lag(group);
      begunMeanwhile += begun - before;
    };
    const options = {
      group,
      topics: topic,
      leaseMs: 500,
      deliveryLimit: 2,
      retry: { maxRetries: 1, backoff: 600_000 },
      handler: (value: unknown, { attempt, signal }: { readonly attempt: number; readonly signal: AbortSignal }) => {
        if (value === 'blocks') return blocks(signal);
        if (attempt === 1) throw new Error('not yet');
        return neighbour();
      },
    };
    const first = log.consumer(options);
    log.events.on('background-error', ({ error }) => {
      if (String(error).includes('expired while it was handled') && ++reported === 2) void first.pause();
    });
    await log.producer().sendBatch(['neighbour', 'blocks'].map((value) => ({ topic, key: value, value })));
    await first.start();
    await waitFor(() => reported === 2, { what: 'two returns', timeoutMs: 30_000 });
    await first.stop();

    // when another takes its place
    const second = log.consumer(options);
    await second.start();
    await waitFor(async () => (await log.groups.lag(group))[0]?.lag === 0, { what: 'the end', timeoutMs: 30_000 });
    await second.stop();

    // then one more delivery was the last, and began when the other record was done
    expect(begun).toBe(3);
    expect(begunMeanwhile).toBe(0);
    expect(await redis.records(`${topic}.dead-letters`)).toMatchObject([
      { headers: { 'millrace-reason': 'delivery_limit' } },
    ]);
  }, 60_000);

  it('is not taken for one that a member interrupts to hand its partition over', async () => {
    // given a handler that ends when it is interrupted, and a record that is done and not committed
    const topic = await redis.topic({ partitions: 1 });
    const log = await redis.another();
    const reported: string[] = [];
    log.events.on('background-error', ({ error }) => reported.push(String(error)));
    let begun = 0;
    const handler = async (value: unknown, { signal }: { readonly signal: AbortSignal }) => {
      if (value === 'done') return;
      begun++;
      await whenAborted(signal);
    };
    const consumer = log.consumer({ group: 'interrupted', topics: topic, commitIntervalMs: 60_000, handler });
    await log.producer().sendBatch(['done', 'interrupted'].map((value) => ({ topic, key: value, value })));
    await consumer.start();
    await waitFor(() => begun === 1, { what: 'the handler to begin' });

    // when the member stops by a deadline
    await consumer.stop({ deadlineMs: 10 });

    // then no lost lease is reported
    expect(reported.filter((message) => message.includes('ran out'))).toEqual([]);
  });
});
