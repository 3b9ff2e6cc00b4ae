// A member of the group `cab-map` in a process of its own, so that it can really be killed. Every fix it has handled is printed.
import { setTimeout as sleep } from 'node:timers/promises';
import { Log } from '@millrace/log';
import { RedisConnection } from '@millrace/redis';

const [url = '', name = ''] = process.argv.slice(2);
const connection = await new RedisConnection({ url, name }).open();
const consumer = new Log(connection).consumer({
  group: 'cab-map',
  topics: 'gps-fixes',
  handler: async (_fix, { partition, offset }) => {
    await sleep(20);
    console.log(`handled ${partition} ${offset}`);
  },
});
await consumer.start();
console.log(`member ${consumer.memberId}`);
