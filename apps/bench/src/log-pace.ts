import { Log } from '@millrace/log';
import { RedisConnection } from '@millrace/redis';
import { startRedis, stopEverything } from '@millrace/testing';
import { Redis } from 'ioredis';
import { payload } from './payload.js';
import { median } from './statistics.js';

// The pace that the log is held to: one process, records of 100 bytes of JSON, one Redis, against the straightforward
// use of Redis Streams (an entry a record) in the same run. `node apps/bench/dist/log-pace.js [rounds]`

interface Side {
  readonly name: string;
  /** Handles records for a while; answers how many a second. */
  run(): Promise<number>;
}

interface Comparison {
  readonly what: string;
  readonly target: string;
  readonly base: Side;
  readonly ours: Side;
}

const batchSize = 500;
const batches = 160;
const total = batchSize * batches;
const inFlight = 256;

const rounds = Number(process.argv[2] ?? 5);
const server = await startRedis();
const redis = new Redis(server.url);
const connection = await new RedisConnection({ url: server.url }).open();
const log = new Log(connection, { retentionIntervalMs: 0 });
const producer = log.producer();
let topics = 0;

async function newTopic(compression: 'none' | 'zlib' | 'brotli' = 'none'): Promise<string> {
  return (await log.declareTopic({ name: `pace-${++topics}`, compression })).name;
}

async function fillStream(stream: string): Promise<void> {
  for (let batch = 0; batch < batches; batch++) {
    const pipeline = redis.pipeline();
    for (let n = 0; n < batchSize; n++) pipeline.xadd(stream, '*', 'v', JSON.stringify(payload(batch * batchSize + n)));
    await pipeline.exec();
  }
}

async function fillTopic(topic: string): Promise<void> {
  for (let batch = 0; batch < batches; batch++) {
    await producer.sendBatch(
      Array.from({ length: batchSize }, (_, n) => ({ topic, partition: 0, value: payload(batch * batchSize + n) })),
    );
  }
}

async function perSecond(records: number, work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return (records * 1000) / (performance.now() - start);
}

async function emptied(run: () => Promise<number>): Promise<number> {
  await redis.flushall();
  return run();
}

/** Always `inFlight` callers, each of whom awaits one record and then sends the next. */
async function callers(send: (id: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const caller = async (): Promise<void> => {
    while (next < total / 2) await send(next++);
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
}

async function readGroup(stream: string): Promise<void> {
  await redis.xgroup('CREATE', stream, 'group', '0');
  for (let read = 0; read < total; ) {
    const reply = (await redis.xreadgroup('GROUP', 'group', 'me', 'COUNT', batchSize, 'STREAMS', stream, '>')) as
      | [string, [string, string[]][]][]
      | null;
    const entries = reply?.[0]?.[1] ?? [];
    for (const [, fields] of entries) JSON.parse(fields[1] ?? '');
    await redis.xack(stream, 'group', ...entries.map(([id]) => id));
    read += entries.length;
  }
}

async function readLog(topic: string): Promise<void> {
  let read = 0;
  for await (const _record of log.read({ topic, partition: 0 })) read++;
  if (read !== total) throw new Error(`read ${read} of ${total} records`);
}

const comparisons: Comparison[] = [
  {
    what: `append: batches of ${batchSize}, one awaited after the other`,
    target: '≥ 3',
    base: { name: `pipeline of ${batchSize} XADD`, run: () => emptied(() => perSecond(total, () => fillStream('s'))) },
    ours: {
      name: 'sendBatch',
      run: async () =>
        emptied(async () => {
          const topic = await newTopic();
          return perSecond(total, () => fillTopic(topic));
        }),
    },
  },
  {
    what: `append: ${inFlight} awaited sends in flight`,
    target: '≥ 2',
    base: {
      name: 'awaited XADD',
      run: () =>
        emptied(() =>
          perSecond(total / 2, () => callers((id) => redis.xadd('s', '*', 'v', JSON.stringify(payload(id))))),
        ),
    },
    ours: {
      name: 'awaited send',
      run: () =>
        emptied(async () => {
          const topic = await newTopic();
          return perSecond(total / 2, () => callers((id) => producer.send({ topic, value: payload(id) })));
        }),
    },
  },
  {
    what: 'read everything, parsed',
    target: '≥ 4',
    base: {
      name: `XREADGROUP COUNT ${batchSize} + XACK`,
      run: () =>
        emptied(async () => {
          await fillStream('s');
          return perSecond(total, () => readGroup('s'));
        }),
    },
    ours: {
      name: 'for await … of log.read',
      run: () =>
        emptied(async () => {
          const topic = await newTopic();
          await fillTopic(topic);
          return perSecond(total, () => readLog(topic));
        }),
    },
  },
];

console.log('| what | base, records/s | ours, records/s | ratio | asked |\n|---|---|---|---|---|');
for (const { what, target, base, ours } of comparisons) {
  const measured: { base: number; ours: number }[] = [];
  // One round warms up; then base and ours take turns, so that both meet the same noise.
  for (let round = 0; round <= rounds; round++) measured.push({ base: await base.run(), ours: await ours.run() });
  const kept = measured.slice(1);
  const show = (numbers: number[]): string => `${Math.round(median(numbers) / 1000)} k`;
  const ratio = median(kept.map((pair) => pair.ours / pair.base)).toFixed(1);
  const bases = show(kept.map((pair) => pair.base));
  console.log(
    `| ${what}: ${ours.name} vs. ${base.name} | ${bases} | ${show(kept.map((pair) => pair.ours))} | **${ratio}×** | ${target} |`,
  );
}

console.log('\n| bytes of Redis a record | bytes | ratio | asked |\n|---|---|---|---|');
const entryBytes = await bytesOf(() => fillStream('s'));
console.log(`| an entry a record (XADD) | ${entryBytes.toFixed(1)} | 1 | |`);
for (const compression of ['none', 'zlib', 'brotli'] as const) {
  const bytes = await bytesOf(async () => fillTopic(await newTopic(compression)));
  const asked = compression === 'none' ? '≤ 1' : '≤ 0.5';
  console.log(
    `| sendBatch, compression ${compression} | ${bytes.toFixed(1)} | **${(bytes / entryBytes).toFixed(2)}×** | ${asked} |`,
  );
}

await log.close();
connection.close();
redis.disconnect();
await stopEverything();

async function bytesOf(fill: () => Promise<void>): Promise<number> {
  await redis.flushall('SYNC');
  const before = await usedBytes();
  await fill();
  return ((await usedBytes()) - before) / total;
}

async function usedBytes(): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
}
