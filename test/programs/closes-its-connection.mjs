// A process that closes its connection and nothing else: what hangs on it must not keep the process alive.

import { Log } from '@millrace/log';
import { Broker } from '@millrace/queue';
import { RedisConnection } from '@millrace/redis';

const { URL: url, PREFIX: prefix } = process.env;
const connection = new RedisConnection({ url, prefix, connectTimeoutMs: 1000 });
const broker = new Broker(connection);
const log = new Log(connection);
const consumer = () => broker.consumer({ queue: 'work', handler: () => undefined });
const member = () => log.consumer({ topics: ['work'], group: 'g', handler: () => undefined });
const isThere = await connection.whenReady(1000).then(
  () => true,
  () => false,
);
if (isThere) {
  await broker.declareQueue({ name: 'work' });
  await log.declareTopic({ name: 'work' });
  await Promise.all([consumer().start(), member().start()]);
  await broker.request('', 'work', 'hello');
  await log.producer().send({ topic: 'work', value: 1 });
}
const underWay = isThere
  ? []
  : [
      broker.sendToQueue('work', 1),
      broker.request('', 'work', 1),
      broker.declareQueue({ name: 'work' }),
      log.producer().send({ topic: 'work', value: 1 }),
      consumer().start(),
      member().start(),
    ];
connection.close();
const ends = await Promise.allSettled(underWay);
console.log(`closed ${ends.filter(({ status }) => status === 'rejected').length} of ${ends.length} failed`);
