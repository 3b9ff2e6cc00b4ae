import { expect } from '@jest/globals';
import { bridge, replay } from '@millrace/bridge';
import { type Codec, jsonCodec } from '@millrace/core';
import { Log } from '@millrace/log';
import { Broker, type ConsumerInput } from '@millrace/queue';
import { waitFor } from '@millrace/testing';
import { misbehaviours } from './misbehaviours.js';
import { misbehave, type Stage, unsettled, well } from './stage.js';

type Consumer = Omit<ConsumerInput, 'queue'>;

/** Messages whose headers say how a function of their consumer misbehaves; all end, and the one after them is handled. */
async function consumes(
  stage: Stage,
  consumer: (handled: unknown[]) => Consumer,
  broker = stage.broker,
): Promise<void> {
  const queue = stage.name();
  const handled: unknown[] = [];
  await broker.declare({ queues: [{ name: queue }, { name: `${queue}.dead-letters` }] });
  const options = {
    queue,
    retry: false,
    handlerTimeoutMs: 50,
    abortGraceMs: 50,
    concurrency: 10,
    ...consumer(handled),
  } as const;
  const waiting = broker.consumer(options);
  await waiting.start();
  const message = (index: number) => ({
    exchange: '',
    routingKey: queue,
    body: index,
    properties: { headers: { index } },
  });
  await broker.publishBatch([...misbehaviours.keys(), well].map(message));
  await waitFor(() => handled.includes(well), { what: 'the message that behaves' });
  const left = async (): Promise<number> => {
    const { ready, unacked, dying } = await broker.queue(queue).counts();
    return ready + unacked + dying;
  };
  await waitFor(async () => (await left()) === 0, { what: 'all others to end' });
  await waiting.stop();
}

const takesWell =
  (handled: unknown[]) =>
  (_: unknown, { headers }: { readonly headers: Readonly<Record<string, unknown>> }): void => {
    if (headers.index === well) handled.push(well);
  };

const misbehavingHandler =
  (handled: unknown[]) =>
  (_: unknown, { headers }: { readonly headers: Readonly<Record<string, unknown>> }): unknown => {
    if (headers.index === well) handled.push(well);
    return misbehave(headers.index);
  };

export const queueTrials: Record<string, (stage: Stage) => Promise<void>> = {
  'queue: HandlingOptions.handler': async (stage) => {
    await consumes(stage, (handled) => ({ handler: misbehavingHandler(handled), keepResultMs: 60_000 }));
    // And what a requester gets.
    const queue = stage.name();
    await stage.broker.declareQueue({ name: queue });
    const consumer = stage.broker.consumer({
      queue,
      handler: misbehave,
      concurrency: 100,
      handlerTimeoutMs: 200,
      abortGraceMs: 50,
    });
    await consumer.start();
    const ask = (index: number): Promise<unknown> => stage.broker.request('', queue, index, { timeoutMs: 1000 });
    expect(await unsettled((__, index) => ask(index))).toEqual([]);
    expect(await ask(well)).toBe(null);
    const bigInt = misbehaviours.findIndex(({ what }) => what === 'returns a BigInt');
    await expect(ask(bigInt)).rejects.toThrow(/the reply cannot be encoded as json/);
    await consumer.stop();
  },
  'queue: HandlerOptions.handler': (stage) =>
    consumes(stage, (handled) => ({ handlers: [{ pattern: '#', handler: misbehavingHandler(handled) }] })),
  'queue: QueuePayloads.validate': async (stage) => {
    const queue = stage.name();
    await stage.broker.declareQueue({ name: queue });
    const open = await unsettled(async ({ act, hangs }) => {
      const handle = stage.broker.queue(queue, { validate: act });
      if (!hangs) await Promise.allSettled([handle.send(1), handle.sendBatch([{ body: 1 }])]);
    });
    expect(open).toEqual([]);
  },
  'queue: QueuePayloads.validateReply': async (stage) => {
    const queue = stage.name();
    await stage.broker.declareQueue({ name: queue });
    const consumer = stage.broker.consumer({ queue, concurrency: 100, handler: () => 'a reply' });
    await consumer.start();
    const open = await unsettled(async ({ act, hangs }) => {
      if (!hangs) await stage.broker.queue(queue, { validateReply: act }).request(1);
    });
    expect(open).toEqual([]);
    await consumer.stop();
  },
  'queue: HandlerOptions.validate': (stage) =>
    consumes(stage, (handled) => ({
      handlers: [
        { pattern: '#', handler: takesWell(handled), validate: (_, { headers }) => misbehave(headers.index) },
        { pattern: '#', name: 'other', handler: () => undefined },
      ],
    })),
  'queue: HandlerOptions.middleware[]': (stage) =>
    consumes(stage, (handled) => ({
      handlers: [
        {
          pattern: '#',
          handler: takesWell(handled),
          middleware: [
            ({ headers }, next) => (headers.index === well ? next() : (misbehave(headers.index) as Promise<unknown>)),
          ],
        },
      ],
    })),
  'queue: HandlingOptions.batchHandler': (stage) =>
    consumes(stage, (handled) => ({
      batch: { maxMessages: 1 },
      batchHandler: ([message]) => {
        const index = message?.context.headers.index;
        if (index === well) handled.push(well);
        // One of a list, or all that is returned.
        return Number(index) % 2 === 0 ? misbehave(index) : [misbehave(index)];
      },
    })),
  'queue: HandlingOptions.middleware[]': (stage) =>
    consumes(stage, (handled) => ({
      handler: takesWell(handled),
      middleware: [
        ({ headers }, next) => {
          void next();
          return misbehave(headers.index) as Promise<unknown>;
        },
      ],
    })),
  'queue: HandlingOptions.validate': (stage) =>
    consumes(stage, (handled) => ({
      handler: takesWell(handled),
      validate: (_, { headers }) => misbehave(headers.index),
    })),
  'queue: DeadLetterChoice.filter': async (stage) => {
    const queue = stage.name();
    await stage.broker.declareQueue({ name: queue });
    await stage.broker.sendToQueue(queue, 'a letter');
    const letters = stage.broker.queue(queue).deadLetters;
    const redrive = (filter: () => unknown) => letters.redrive({ filter: filter as () => boolean, dryRun: true });
    expect(await unsettled(({ act }) => redrive(act))).toEqual([]);
    const purge = (filter: () => unknown) => letters.purge({ filter: filter as () => boolean });
    expect(await unsettled(({ act }) => purge(act))).toEqual([]);
    await expect(purge(async () => true)).rejects.toThrow('the filter must return true or false, got a promise.');
    expect(await purge(() => true)).toBe(1);
  },
  'queue: TopicSink.append': (stage) => feeds(stage, 'append'),
  'queue: TopicSink.assertTopic': (stage) => feeds(stage, 'assertTopic'),
  'bridge: BridgeOptions.key': async (stage) => {
    const exchange = stage.name();
    const broker = new Broker(stage.connection, { events: stage.events });
    bridge(broker, stage.log, { key: ({ body }) => misbehave(body) as string });
    await stage.log.declareTopic({ name: exchange });
    await broker.declare({ exchanges: [{ name: exchange, type: 'fanout' }] });
    await broker.bind({ exchange, topic: exchange });
    expect(await unsettled((__, index) => broker.publish(exchange, '', index))).toEqual([]);
    expect((await broker.publish(exchange, '', well)).topics).toHaveLength(1);
    await broker.close();
  },
  'bridge: ReplayOptions.where': (stage) =>
    replays(stage, (log, into, act) => replay(log, stage.broker, { ...into, where: act as () => boolean })),
  'bridge: ReplayOptions.onProgress': (stage) =>
    replays(stage, (log, into, act) => replay(log, stage.broker, { ...into, onProgress: act as () => void })),
  'queue codecs': async (stage) => {
    const decode = (bytes: Buffer): unknown => {
      const index = Number(bytes.toString());
      return index === well ? well : misbehave(index);
    };
    const codec: Codec = { id: 103, name: 'own', encode: (value) => JSON.stringify(value), decode };
    const broker = new Broker(stage.connection, { events: stage.events, codec });
    await consumes(stage, (handled) => ({ handler: takesWell(handled) }), broker);
    await broker.close();
    const queue = stage.name();
    await stage.broker.declareQueue({ name: queue });
    const send = (value: unknown, index: unknown) =>
      stage.broker.sendToQueue(queue, value, {
        codec: { ...jsonCodec, id: 104, name: 'own', encode: () => misbehave(index) as string },
      });
    expect(await unsettled((__, index) => send('a value', index))).toEqual([]);
    const odd = { ...jsonCodec, id: 105, name: 'odd', encode: async () => 'later' } as unknown as Codec;
    await expect(stage.broker.sendToQueue(queue, 1, { codec: odd })).rejects.toThrow(
      'encode of the codec "odd" must return a Uint8Array or a string, got a promise',
    );
  },
};

/** An exchange that feeds a topic. */
async function feeds(stage: Stage, misbehaving: 'append' | 'assertTopic'): Promise<void> {
  const broker = new Broker(stage.connection, { events: stage.events, deliveryTimeoutMs: 500 });
  const exchange = stage.name();
  let index = 0;
  const position = { topic: 'outside', partition: 0, offset: 0 };
  const act = () => (index < well ? misbehave(index++) : undefined);
  broker.feedTopics({
    assertTopic: async () => void (misbehaving === 'assertTopic' ? await act() : undefined),
    append: (misbehaving === 'append' ? act : async () => position) as never,
  });
  await broker.declare({ exchanges: [{ name: exchange, type: 'fanout' }] });
  if (misbehaving === 'append') {
    await broker.bind({ exchange, topic: 'outside' });
    expect(await unsettled(() => broker.publish(exchange, '', 'a message'))).toEqual([]);
  } else {
    const open = await unsettled(({ hangs }) =>
      hangs ? Promise.resolve() : broker.bind({ exchange, topic: 'outside' }),
    );
    expect(open).toEqual([]);
  }
  await broker.close();
}

/** A range of the log goes into a queue, once for each misbehaviour. */
async function replays(
  stage: Stage,
  run: (log: Log, into: { topic: string; into: { queue: string } }, act: () => unknown) => Promise<unknown>,
): Promise<void> {
  const name = stage.name();
  await stage.log.declareTopic({ name });
  await stage.broker.declareQueue({ name });
  await stage.log.producer().sendBatch([1, 2].map((value) => ({ topic: name, value })));
  const into = { topic: name, into: { queue: name } };
  expect(await unsettled(({ act }) => run(stage.log, into, act))).toEqual([]);
}
