// A member of a consumer group in a process of its own. MEMBER holds its options as JSON; what happens is printed, one
// JSON object a line. SIGTERM stops it orderly; SIGUSR2 blocks its event loop until there is the file
// `blockUntil`.
import { existsSync } from 'node:fs';
import { Log } from '@millrace/log';
import { RedisConnection } from '@millrace/redis';

const {
  connection: reach,
  blockUntil = '',
  stopAt,
  handlerMs = 0,
  dieAt,
  dieOnValue,
  ...options
} = JSON.parse(process.env.MEMBER);
const say = (what, fields) => process.stdout.write(`${JSON.stringify({ what, at: Date.now(), ...fields })}\n`);
const connection = await new RedisConnection(reach).open();
const log = new Log(connection);
for (const event of ['partition-assigned', 'partition-revoked', 'lease-lost', 'dead-lettered', 'offset-out-of-range']) {
  log.events.on(event, ({ error, ...fields }) => say(event, fields));
}
log.events.on('background-error', ({ duty, error }) => say('background-error', { duty, error: String(error) }));
let handled = 0;
const consumer = log.consumer({
  ...options,
  handler: async (value, { topic, partition, offset, key, epoch, attempt, signal }) => {
    say('begun', { topic, partition, offset, key, epoch, attempt, value });
    if (value?.kill === true || (dieOnValue !== undefined && value === dieOnValue))
      process.kill(process.pid, 'SIGKILL');
    if (handlerMs > 0) await new Promise((resolve) => setTimeout(resolve, handlerMs));
    say('handled', { topic, partition, offset, key, epoch, attempt, value, isAborted: signal.aborted });
    if (++handled === dieAt) process.kill(process.pid, 'SIGKILL');
    if (handled === stopAt) process.emit('SIGTERM');
  },
});
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
