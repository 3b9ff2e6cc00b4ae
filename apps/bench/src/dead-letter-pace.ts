import { Broker } from '@millrace/queue';
import { RedisConnection } from '@millrace/redis';
import { startRedis, stopEverything } from '@millrace/testing';
import { sleep } from './clock.js';
import { longestCommand } from './longest-command.js';
import { payloads } from './payload.js';
import type { Place } from './place.js';
import { RedisCpu } from './redis-cpu.js';
import { median } from './statistics.js';

// The pace of dead letters: `count` messages expire together in a queue without consumers, and go to another queue; then they are sent
// back. One process, one Redis. `node apps/bench/dist/dead-letter-pace.js [rounds] [count]`

/** What one step took, per message. */
interface Pace {
  readonly perSecond: number;
  readonly redisUs: number;
  readonly nodeUs: number;
}

const batchSize = 500;
const pollMs = 20;
const rounds = Number(process.argv[2] ?? 3);
const count = Number(process.argv[3] ?? 100_000);

const server = await startRedis({ aof: 'everysec', config: { 'auto-aof-rewrite-percentage': 0 } });
const place: Place = {
  durability: 'everysec',
  quick: false,
  warmUpMs: 0,
  windowMs: 0,
  round: 0,
  redisUrl: server.url,
};
const cpu = new RedisCpu(place);
const connection = await new RedisConnection({ url: server.url }).open();
const broker = new Broker(connection);

async function publishAll(queue: string): Promise<void> {
  const due = Date.now() + 2000 + Math.ceil((count / 30_000) * 1000);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const bodies = payloads(Math.min(batchSize, count - next), next);
      next += bodies.length;
      const properties = () => ({ expirationMs: Math.max(1, due - Date.now()) });
      await broker.publishBatch(
        bodies.map((body) => ({ exchange: '', routingKey: queue, body, properties: properties() })),
      );
    }
  };
  await Promise.all(Array.from({ length: 4 }, lane));
}

/** Measures from the first message that arrives to the last: the upkeep looks at a queue once per second. */
async function untilArrived(queue: string): Promise<Pace> {
  const arrived = async () => (await broker.queue(queue).counts()).ready;
  let before = await arrived();
  while (before === 0) {
    await sleep(pollMs);
    before = await arrived();
  }
  return measured(count - before, async () => {
    while ((await arrived()) < count) await sleep(pollMs);
  });
}

async function measured(messages: number, act: () => Promise<unknown>): Promise<Pace> {
  const [redisBefore, nodeBefore, start] = [await cpu.usedUs(), process.cpuUsage(), performance.now()];
  await act();
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(nodeBefore);
  return {
    perSecond: messages / seconds,
    redisUs: ((await cpu.usedUs()) - redisBefore) / messages,
    nodeUs: (user + system) / messages,
  };
}

async function round(number: number): Promise<{ readonly expiry: Pace; readonly redrive: Pace; longest: string }> {
  const [queue, dead] = [`q${number}`, `dead${number}`];
  await broker.declare({ queues: [{ name: dead }, { name: queue, deadLetter: { queue: dead } }] });
  await publishAll(queue);
  let expiry: Pace | undefined;
  const ofExpiry = await longestCommand(place, async () => {
    expiry = await untilArrived(dead);
  });
  if (expiry === undefined) throw new Error('nothing was measured');
  let redriven = 0;
  let redrive: Pace | undefined;
  const ofRedrive = await longestCommand(place, async () => {
    redrive = await measured(count, async () => {
      redriven = (await broker.queue(dead).deadLetters.redrive()).redriven;
    });
  });
  const back = (await broker.queue(queue).counts()).ready;
  const left = (await broker.queue(dead).counts()).ready;
  if (redrive === undefined || redriven !== count || back !== count || left !== 0)
    throw new Error(`${redriven} of ${count} were sent back, ${back} are there, ${left} are left`);
  for (const name of [queue, dead]) await broker.deleteQueue(name);
  return {
    expiry,
    redrive,
    longest: `${ofExpiry.ms} ms (${ofExpiry.command}), ${ofRedrive.ms} ms (${ofRedrive.command})`,
  };
}

const show = (paces: readonly Pace[]): string =>
  [
    `${Math.round(median(paces.map(({ perSecond }) => perSecond)))} messages/s`,
    `Redis ${median(paces.map(({ redisUs }) => redisUs)).toFixed(1)} µs`,
    `process ${median(paces.map(({ nodeUs }) => nodeUs)).toFixed(1)} µs per message`,
  ].join(', ');

const measuredRounds: Awaited<ReturnType<typeof round>>[] = [];
for (let number = 0; number < rounds; number++) {
  const one = await round(number);
  measuredRounds.push(one);
  console.log(`round ${number}: expiry ${show([one.expiry])}; redrive ${show([one.redrive])}; longest ${one.longest}`);
}
console.log(`expiry:  ${show(measuredRounds.map(({ expiry }) => expiry))}`);
console.log(`redrive: ${show(measuredRounds.map(({ redrive }) => redrive))}`);

await broker.close();
connection.close();
cpu.close();
await stopEverything();
