import { fileURLToPath } from 'node:url';
import { Broker } from '@millrace/queue';
import { RedisConnection } from '@millrace/redis';
import { type Program, type RedisServer, spawnProgram, startRedis, waitFor } from '@millrace/testing';

// How soon another consumer has handled what a killed one held, and how late delayed messages are while 100,000 wait:
// node apps/bench/dist/queue-takeover.js

const held = 100;
const rounds = 10;

const server = await startRedis({ aof: 'everysec' });
const connection = await new RedisConnection({ url: server.url, prefix: 'takeover' }).open();
const broker = new Broker(connection);
print('kill -9 to the last of 100 handled elsewhere, ms', await takeovers(server));
print('late with 100,000 waiting, ms', await lateness());
await broker.close();
connection.close();
await server.stop();

async function takeovers(redis: RedisServer): Promise<number[]> {
  await broker.declareQueue({ name: 'held' });
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const victim = await spawnVictim(redis);
    const messages = Array.from({ length: held }, (_, n) => ({
      exchange: '',
      routingKey: 'held',
      body: { n, hang: true },
    }));
    await broker.publishBatch(messages);
    await waitFor(() => victim.lines.filter((line) => line.startsWith('got')).length === held, {
      what: 'all to be held',
    });
    let handled = 0;
    let last = 0;
    const handler = () => {
      handled++;
      last = performance.now();
    };
    const consumer = broker.consumer({ queue: 'held', concurrency: held, handler });
    await consumer.start();
    await pause(300 + Math.random() * 1000);
    const killed = performance.now();
    await victim.kill();
    await waitFor(() => handled === held, { what: 'all to be handled elsewhere', timeoutMs: 60_000 });
    times.push(last - killed);
    await consumer.stop();
    await victim.stop();
  }
  return times;
}

async function spawnVictim(redis: RedisServer): Promise<Program> {
  const path = fileURLToPath(new URL('../../../test/programs/queue-consumer.mjs', import.meta.url));
  const env = { CONNECTION: JSON.stringify(redis.connection), PREFIX: 'takeover', QUEUE: 'held' };
  const program = await spawnProgram(path, { env: { ...env, CONSUMER: JSON.stringify({ concurrency: held }) } });
  await program.waitForLine('ready');
  return program;
}

async function lateness(): Promise<number[]> {
  await broker.declareQueue({ name: 'delayed' });
  const later = { exchange: '', routingKey: 'delayed', body: 0, properties: { delayMs: 3_600_000 } };
  for (let n = 0; n < 100; n++) await broker.publishBatch(Array.from({ length: 1000 }, () => later));
  const late: number[] = [];
  const handler = (dueAt: unknown) => void late.push(Date.now() - Number(dueAt));
  await broker.consumer({ queue: 'delayed', handler }).start();
  const count = 200;
  for (let n = 0; n < count; n++) {
    const delayMs = 50 + Math.floor(Math.random() * 500);
    await broker.sendToQueue('delayed', Date.now() + delayMs, { delayMs });
    await pause(20);
  }
  await waitFor(() => late.length === count, { what: 'all to be handled' });
  return late;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function print(what: string, values: readonly number[]): void {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)]?.toFixed(0);
  console.log(`${what}: least ${at(0)}, median ${at(0.5)}, 99 % ${at(0.99)}, most ${at(1)}`);
}
