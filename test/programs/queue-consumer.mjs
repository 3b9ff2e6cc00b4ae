// A process that consumes from one queue, and prints what it does. The payload says what its handler does:
// { hang: true } never ends, { die: true } kills the process, { blockUntil: path } blocks the process until there is such a file,
// { progress: value } reports it, { fail: text } throws, { reply: value } replies with it, { blockMs } keeps the event loop for
// so long and then waits until its signal is aborted; anything else is handled immediately.

import { existsSync } from 'node:fs';
import { Broker } from '@millrace/queue';
import { RedisConnection } from '@millrace/redis';

const { CONNECTION = '{}', PREFIX, QUEUE, CONSUMER = '{}' } = process.env;
const connection = await new RedisConnection({ ...JSON.parse(CONNECTION), prefix: PREFIX }).open();
const broker = new Broker(connection);
broker.events.on('lease-lost', () => console.log('lease-lost'));
const consumer = broker.consumer({
  queue: QUEUE,
  ...JSON.parse(CONSUMER),
  handler: async (payload, context) => {
    console.log(`got ${context.messageId} ${JSON.stringify(payload)} ${context.deliveryCount}`);
    if (payload.die) process.kill(process.pid, 'SIGKILL');
    if (payload.blockMs) {
      const until = performance.now() + payload.blockMs;
      while (performance.now() < until);
      await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
    }
    if (payload.waitMs) await new Promise((resolve) => setTimeout(resolve, payload.waitMs));
    const asleep = new Int32Array(new SharedArrayBuffer(4));
    while (payload.blockUntil && !existsSync(payload.blockUntil)) Atomics.wait(asleep, 0, 0, 20);
    if (payload.progress) console.log(`progress ${await context.progress(payload.progress)}`);
    if (payload.hang) {
      context.signal.addEventListener('abort', () => console.log(`aborted ${context.signal.reason.name}`));
      await new Promise(() => {});
    }
    console.log(`done ${context.messageId} ${JSON.stringify(payload)}`);
    if (payload.fail) throw new Error(payload.fail);
    return payload.reply;
  },
});
process.on('SIGTERM', async () => {
  await consumer.stop({ deadlineMs: 2000 });
  await broker.close();
  connection.close();
  console.log('stopped');
});
await consumer.start();
console.log('ready');
