import { expect } from '@jest/globals';
import { jsonCodec } from '@millrace/core';
import { type ConsumerInput, Log, type RecordInput } from '@millrace/log';
import { waitFor } from '@millrace/testing';
import { misbehaviours } from './misbehaviours.js';
import { misbehave, type Stage, unsettled, well } from './stage.js';

type Consumer = Omit<ConsumerInput, 'group' | 'topics'>;

/** An error that says in which way a function that is shown it is to misbehave. */
class Marked extends Error {
  constructor(readonly index: unknown) {
    super(`marked ${index}`);
  }
}

const indexOf = (error: unknown): unknown => (error instanceof Marked ? error.index : undefined);

/** Records whose keys say how a function of their consumer misbehaves; all end, and the one after them is handled. */
async function consumes(
  stage: Stage,
  consumer: Consumer,
  { codec, log = stage.log }: { codec?: string; log?: Log } = {},
) {
  const topic = stage.name();
  await log.declareTopic({ name: topic, ...(codec === undefined ? {} : { codec }) });
  const handled: unknown[] = [];
  const options: Consumer = {
    handler: (_, { key }) => void handled.push(key),
    retry: false,
    handlerTimeoutMs: 50,
    abortGraceMs: 50,
    concurrency: 100,
    ...consumer,
  };
  const ended = new Set<number>();
  const waiting = log.consumer({ group: topic, topics: topic, from: 'earliest', ...options });
  const onRetry = () => void ended.add(ended.size);
  log.events.on('retry-scheduled', onRetry);
  await waiting.start();
  const records: RecordInput[] = misbehaviours.map((_, index) => ({ topic, key: `${index}`, value: index }));
  const producer = log.producer();
  await producer.sendBatch([...records, { topic, key: `${well}`, value: well }]);
  const remaining = async (): Promise<number> => (await log.groups.lag(topic))[0]?.lag ?? records.length + 1;
  await waitFor(async () => ended.size + 1 >= records.length || (await remaining()) === 0, { what: 'all to end' });
  log.events.off('retry-scheduled', onRetry);
  await waiting.stop({ deadlineMs: 0 });
  return { handled, ended };
}

/** A handler that is called with the last record by what is around it. */
async function runsTheLast(stage: Stage, consumer: (handled: unknown[]) => Consumer): Promise<void> {
  const handled: unknown[] = [];
  const done = consumes(stage, consumer(handled));
  await waitFor(() => handled.includes(`${well}`), { what: 'the record that behaves' });
  await done;
}

export const logTrials: Record<string, (stage: Stage) => Promise<void>> = {
  'log: HandlingOptions.handler': (stage) =>
    runsTheLast(stage, (handled) => ({
      handler: (_, { key }) => {
        if (key === `${well}`) handled.push(key);
        return misbehave(key);
      },
    })),
  'log: HandlingOptions.batchHandler': (stage) =>
    runsTheLast(stage, (handled) => ({
      handler: undefined,
      batch: { maxRecords: 1 },
      batchHandler: ([record], context) => {
        const { key } = record ?? {};
        if (key === `${well}`) handled.push(key);
        const { what = '', act = () => undefined } = misbehaviours[Number(key)] ?? {};
        if (record !== undefined && what.startsWith('returns')) context.fail(record, act());
        // As `records.map(async …)` does.
        return what.startsWith('rejects') ? [act()] : act();
      },
    })),
  'log: ConsumerOptions.middleware[]': (stage) =>
    runsTheLast(stage, (handled) => ({
      handler: (_, { key }) => void handled.push(key),
      middleware: [
        async ({ key }, next) => {
          if (key !== `${well}`) return misbehave(key);
          return next();
        },
        ({ key }, next) => {
          // What the handler does here is not awaited.
          void next();
          return misbehave(key) as Promise<unknown>;
        },
      ],
    })),
  'log: HandlingOptions.validate': (stage) =>
    runsTheLast(stage, (handled) => ({
      handler: (_, { key }) => void handled.push(key),
      validate: (_, { key }) => misbehave(key),
    })),
  'core: RetryPolicy.backoff': async (stage) => {
    const delays: unknown[] = [];
    stage.events.on('retry-scheduled', ({ delayMs }) => void delays.push(delayMs));
    await runsTheLast(stage, (handled) => ({
      handler: (_, { key }) => {
        if (key !== `${well}`) throw new Marked(key);
        handled.push(key);
      },
      retry: { maxRetries: 1, backoff: (_, error) => misbehave(indexOf(error)) as number },
    }));
    expect(delays.filter((delayMs) => !Number.isInteger(delayMs) || Number(delayMs) < 0)).toEqual([]);
    expect(stage.reported.map(({ duty }) => duty)).toContainEqual(expect.stringMatching(/^retry\.backoff of trial-/));
  },
  'core: RetryRule.when': (stage) =>
    runsTheLast(stage, (handled) => ({
      handler: (_, { key }) => {
        if (key !== `${well}`) throw new Marked(key);
        handled.push(key);
      },
      retry: { maxRetries: 0, rules: [{ when: (error) => misbehave(indexOf(error)) as boolean, do: 'drop' }] },
    })),
  'core: RetryRule.backoff': (stage) =>
    runsTheLast(stage, (handled) => ({
      handler: (_, { key }) => {
        if (key !== `${well}`) throw new Marked(key);
        handled.push(key);
      },
      retry: {
        maxRetries: 1,
        rules: [{ when: Error, do: { backoff: (_, error) => misbehave(indexOf(error)) as number } }],
      },
    })),
  'core: Codec.encode': async (stage) => {
    const { encode: _, ...rest } = jsonCodec;
    const codec = { ...rest, id: 100, name: 'own', encode: (value: unknown) => encoded(value) };
    await sends(stage, codec);
  },
  'core: Codec.encodeTexts': async (stage) => {
    let index = 0;
    const encodeTexts = () => misbehave(index++) as string[];
    await sends(stage, { ...jsonCodec, id: 101, name: 'own', encodeTexts });
  },
  'core: Codec.decode': (stage) => decodes(stage, ['decode']),
  'core: Codec.decodePart': (stage) => decodes(stage, ['decodePart']),
  'core: Codec.decodeText': (stage) => decodes(stage, ['decodeText']),
  'core: Codec.decodeTexts': (stage) => decodes(stage, ['decodeText', 'decodeTexts']),
  'log: ProducerOptions.partitioner': async (stage) => {
    const topic = stage.name();
    await stage.log.declareTopic({ name: topic, partitions: 2 });
    const producer = stage.log.producer({ partitioner: ({ value }) => misbehave(value) as number });
    expect(await unsettled((__, index) => producer.send({ topic, value: index }))).toEqual([]);
    expect(await producer.send({ topic, value: well })).toMatchObject({ topic });
    await expect(producer.send({ topic, value: 1 })).rejects.toThrow(/its partition cannot be chosen/);
  },
  'log: RedriveOptions.filter': async (stage) => {
    const topic = stage.name();
    await stage.log.declareTopic({ name: topic });
    const consumer = stage.log.consumer({
      group: topic,
      topics: topic,
      from: 'earliest',
      retry: false,
      handler: () => Promise.reject(new Error('to the dead letters')),
    });
    await consumer.start();
    await stage.log.producer().send({ topic, value: 'a letter' });
    const dead = `${topic}.dead-letters`;
    const end = async () => (await stage.log.describeTopic(dead)).partitionStates[0]?.end;
    await waitFor(async () => (await end().catch(() => 0)) === 1, { what: 'the dead letter' });
    const redrive = (filter: () => unknown) => stage.log.redrive({ topic: dead, filter: filter as () => boolean });
    expect(await unsettled(({ act }) => redrive(act))).toEqual([]);
    await expect(redrive(async () => true)).rejects.toThrow('the filter must return true or false, got a promise.');
    expect(await redrive(() => false)).toMatchObject({ redriven: 0, repeated: 0, filtered: 1 });
    await consumer.stop();
  },
  'log: TopicHandleOptions.validate': async (stage) => {
    const topic = stage.name();
    await stage.log.declareTopic({ name: topic });
    const open = await unsettled(async ({ act, hangs }) => {
      const handle = stage.log.topic(topic, { validate: act });
      if (!hangs) await Promise.allSettled([handle.send({ value: 1 }), handle.sendBatch([{ value: 1 }])]);
    });
    expect(open).toEqual([]);
  },
};

function encoded(value: unknown): string {
  return value === well ? JSON.stringify(value) : (misbehave(value) as string);
}

/** A producer with a codec that misbehaves ends every call, and goes on. */
async function sends(stage: Stage, codec: typeof jsonCodec): Promise<void> {
  const topic = stage.name();
  const log = new Log(stage.connection, { events: stage.events, codecs: [codec] });
  await log.declareTopic({ name: topic, codec: 'own' });
  const producer = log.producer();
  expect(await unsettled((__, index) => producer.send({ topic, value: index }))).toEqual([]);
  expect(await unsettled((__, index) => producer.sendBatch([0, 1].map(() => ({ topic, value: index }))))).toEqual([]);
  expect(await producer.send({ topic, value: well })).toMatchObject({ topic });
  await log.close();
}

/** A consumer, and a reader, whose codec misbehaves in some of its functions. */
async function decodes(
  stage: Stage,
  functions: readonly ('decode' | 'decodePart' | 'decodeText' | 'decodeTexts')[],
): Promise<void> {
  const decoded = (text: string): unknown => (Number(text) === well ? well : misbehave(text));
  const all = {
    decode: (bytes: Buffer) => decoded(bytes.toString()),
    decodePart: (bytes: Buffer, start: number, end: number) => decoded(bytes.toString('utf8', start, end)),
    decodeText: decoded,
    decodeTexts: (texts: readonly string[]) => texts.map(decoded),
  };
  const own = Object.fromEntries(functions.map((name) => [name, all[name]]));
  const codec = { ...jsonCodec, id: 102, name: 'own', ...own };
  const log = new Log(stage.connection, { events: stage.events, codecs: [codec] });
  const handled: unknown[] = [];
  await consumes(stage, { handler: (_, { key }) => void handled.push(key) }, { codec: 'own', log });
  expect(handled).toContain(`${well}`);
  await log.close();
}
