import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type RedisServer, startRedis, waitFor } from '@millrace/testing';
import { onOneServer } from '../one-server.js';
import { openBroker, ownPrefix } from './broker.js';

/** Messages of a queue, those that one command names, and those that one script removes: see `queue-slots`, `store/purge`. */
const [many, mostNamed, mostRemoved] = [2600, 1000, 250];
/** See `model/call-size`. */
const mostQueues = 250;

onOneServer('monitor').describe('many messages', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());

  async function opened() {
    const prefix = ownPrefix();
    return { prefix, ...(await openBroker(server, prefix)) };
  }

  async function filled(count = many) {
    const own = await opened();
    for (const name of ['q', 'to']) await own.broker.declareQueue({ name });
    const messages = Array.from({ length: count }, (_, body) => ({ exchange: '', routingKey: 'q', body }));
    await own.broker.publishBatch(messages.map((one) => ({ ...one, properties: { messageId: `id-${one.body}` } })));
    return { ...own, queue: own.broker.queue('q') };
  }

  /** What clients send while something is done, and what scripts call. */
  async function commandsDuring(act: () => Promise<unknown>) {
    const [monitor, marker] = [await server.client().monitor(), server.client()];
    const seen: { args: string[]; isInner: boolean }[] = [];
    monitor.on('monitor', (_at: string, args: string[], source: string) =>
      seen.push({ args, isInner: source === 'lua' }),
    );
    await act();
    await marker.echo('over');
    await waitFor(() => seen.some(({ args }) => args[0]?.toLowerCase() === 'echo'), { what: 'the end' });
    monitor.disconnect();
    return {
      of: (name: string) => seen.filter(({ args }) => args[0]?.toLowerCase() === name).map(({ args }) => args),
      sent: seen.filter(({ isInner }) => !isInner).length,
      longest: Math.max(...seen.map(({ args }) => args.length)),
    };
  }

  it('are listed without a gap, though others take the last one of a page and what stands behind it', async () => {
    // given a page of ten messages
    const { queue, prefix, close } = await filled(40);
    const page = await queue.ready({ limit: 10 });
    // when: others take these ten and two more
    await server.client({ keyPrefix: `${prefix}:{queue:q}:` }).lpop('ready', 12);
    // then: the next page begins with what is now the first
    const next = await queue.ready({ limit: 100, cursor: page.cursor });
    expect(next.messages.map((message) => message.payload())).toEqual(Array.from({ length: 28 }, (_, n) => 12 + n));
    await close();
  });

  it('are listed in pieces, from where the last page ended, though others take what is before it', async () => {
    const { queue, broker, close } = await filled();
    // when
    let first = await queue.ready({ limit: 1 });
    const commands = await commandsDuring(async () => {
      first = await queue.ready({ limit: 2500 });
    });
    let handled = 0;
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const handler = () => (++handled < 1200 ? undefined : released);
    const consumer = broker.consumer({ queue: 'q', concurrency: 1, prefetch: 100, handler });
    await consumer.start();
    await waitFor(() => handled >= 1200, { what: 'messages to be handled' });
    const stopped = consumer.stop();
    release();
    await stopped;
    const rest = await queue.ready({ limit: many, cursor: first.cursor });
    // then
    expect(first.messages.map(({ messageId }) => messageId)).toEqual(Array.from({ length: 2500 }, (_, n) => `id-${n}`));
    expect(commands.of('lpos')).toEqual([]);
    expect(commands.longest).toBeLessThan(mostNamed + 10);
    expect(rest.messages.map(({ messageId }) => messageId)).toEqual(
      Array.from({ length: 100 }, (_, n) => `id-${2500 + n}`),
    );
    await close();
  });

  it('are purged in slices, in few round trips', async () => {
    const { queue, close } = await filled();
    const commands = await commandsDuring(async () => expect(await queue.deadLetters.purge()).toBe(many));
    expect(await queue.counts()).toMatchObject({ ready: 0, unacked: 0 });
    for (const args of commands.of('lpop')) expect(Number(args[2])).toBeLessThanOrEqual(mostRemoved);
    expect(commands.sent).toBeLessThan(many / 100);
    await close();
  });

  it('are published in calls of bounded cost: each queue has one copy, though a queue is missing in the middle', async () => {
    const { broker, prefix, close } = await opened();
    const queues = Array.from({ length: 600 }, (_, index) => ({ name: `f${index}` }));
    await broker.declare({ exchanges: [{ name: 'all', type: 'fanout' }], queues });
    await broker.declare({ bindings: queues.map(({ name }) => ({ exchange: 'all', queue: name })) });
    await server.client().del(`${prefix}:{queue:f300}:settings`);
    // when
    const commands = await commandsDuring(async () => {
      const { queues: reached } = await broker.publish('all', '', 1);
      expect(new Set(reached).size).toBe(600);
      await broker.publishBatch(
        Array.from({ length: 500 }, (_, n) => ({
          exchange: '',
          routingKey: 'f1',
          body: n,
          properties: { messageId: `${n}` },
        })),
      );
    });
    // then
    for (const args of commands.of('evalsha')) expect(Number(args[2])).toBeLessThanOrEqual(20 * mostQueues);
    const lengths = await Promise.all(
      queues.map(({ name }) => server.client().llen(`${prefix}:{queue:${name}}:ready`)),
    );
    expect(lengths).toEqual(queues.map(({ name }) => (name === 'f1' ? 501 : 1)));
    const toOne = commands
      .of('evalsha')
      .filter((args) => args.includes(`${prefix}:{queue:f1}:ids`) && Number(args[2]) < 50);
    expect(toOne.length).toBeGreaterThan(1);
    await close();
  });

  it('are sent back, and picked by a filter, some at a time', async () => {
    const { queue, broker, close } = await filled(1000);
    const isEven = ({ messageId }: { messageId: string }) => Number(messageId.slice(3)) % 2 === 0;
    const commands = await commandsDuring(async () => {
      const report = await queue.deadLetters.redrive({ to: { queue: 'to' }, filter: isEven, limit: 400 });
      expect(report.redriven).toBe(400);
      expect(await queue.deadLetters.purge({ filter: isEven })).toBe(100);
    });
    expect(await broker.queue('to').counts()).toMatchObject({ ready: 400 });
    expect(await queue.counts()).toMatchObject({ ready: 500, unacked: 0 });
    for (const args of commands.of('smismember')) expect(args.length).toBeLessThanOrEqual(mostRemoved + 2);
    expect(commands.sent).toBeLessThan(100);
    await close();
  });
});
