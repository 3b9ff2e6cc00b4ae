// A member of a consumer group in a process of its own. MEMBER holds its options as JSON; its events are printed, one
// JSON object per line. SIGTERM stops it orderly; SIGUSR2, or the value `blockOnValue`, blocks its event loop until there is the file
// `blockUntil`.
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { Log } from '@millrace/log';
import { RedisConnection } from '@millrace/redis';

const {
  connection: reach,
  blockUntil = '',
  stopAt,
  handlerMs = 0,
  dieAt,
  dieOnValue,
  blockOnValue,
  leavesFile,
  inBatches,
  ...options
} = JSON.parse(process.env.MEMBER);
const say = (what, fields) => process.stdout.write(`${JSON.stringify({ what, at: Date.now(), ...fields })}\n`);
const connection = await new RedisConnection(reach).open();
const log = new Log(connection);
for (const event of ['partition-assigned', 'partition-revoked', 'lease-lost', 'dead-lettered', 'offset-out-of-range']) {
  log.events.on(event, ({ error, ...fields }) => say(event, fields));
}
log.events.on('background-error', ({ duty, error }) => say('background-error', { duty, error: String(error) }));
if (leavesFile !== undefined) log.events.on('committed', () => writeFileSync(leavesFile, ''));
let handled = 0;
const is = (value, one) => one !== undefined && value === one;
const handle = async (value, { topic, partition, offset, key, epoch, attempt, signal }) => {
  say('begun', { topic, partition, offset, key, epoch, attempt, value });
  if (value?.kill === true || is(value, dieOnValue)) process.kill(process.pid, 'SIGKILL');
  if (is(value, blockOnValue)) {
    while (!existsSync(blockUntil));
    rmSync(blockUntil);
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    return;
  }
  if (handlerMs > 0) await new Promise((resolve) => setTimeout(resolve, handlerMs));
  say('handled', { topic, partition, offset, key, epoch, attempt, value, isAborted: signal.aborted });
  if (++handled === dieAt) process.kill(process.pid, 'SIGKILL');
  if (handled === stopAt) process.emit('SIGTERM');
};
const batchHandler = async (records, { topic, partition, epoch, signal }) => {
  for (const record of records) await handle(record.payload, { ...record, topic, partition, epoch, signal });
};
const consumer = log.consumer({ ...options, ...(inBatches ? { batchHandler } : { handler: handle }) });
process.on('SIGTERM', async () => {
  await consumer.stop();
  say('stopped', { handled });
  await log.close();
  connection.close();
});
process.on('SIGUSR2', () => {
  say('blocking', {});
  while (!existsSync(blockUntil));
  say('unblocked', {});
});
await consumer.start();
say('started', { memberId: consumer.memberId });
