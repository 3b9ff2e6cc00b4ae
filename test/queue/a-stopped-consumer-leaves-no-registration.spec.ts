import { afterAll, expect, it } from '@jest/globals';
import { startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

afterAll(stopEverything);

it('a consumer that is stopped while it registers again, after its lease was lost, is not registered afterwards', async () => {
  // given: it has lost its lease, and Redis is slow to register it again
  const server = await startRedis();
  const prefix = ownPrefix();
  const { broker, connection, close } = await openBroker(server, prefix, { upkeep: false });
  await broker.declareQueue({ name: 'q' });
  const consumer = broker.consumer({ queue: 'q', leaseMs: 1000, handler: () => undefined });
  await consumer.start();
  const redis = server.client({ keyPrefix: `${prefix}:{queue:q}:` });
  const { commands } = connection;
  const send = commands.sendCommand.bind(commands);
  type Sent = Parameters<typeof send>[0];
  const kept: Sent[] = [];
  let isLost = false;
  broker.events.on('lease-lost', () => {
    isLost = true;
  });
  commands.sendCommand = (command: Sent, stream?: never) => {
    if (!isLost || !/^evalsha$/i.test(command.name)) return send(command, stream);
    kept.push(command);
    return command.promise;
  };
  const [id = ''] = await redis.zrange('consumers', '0', '-1');
  await redis.zrem('consumers', id);
  await waitFor(() => kept.length > 0, { what: 'it to register again' });

  // when
  await consumer.stop();
  commands.sendCommand = send;
  await Promise.all(kept.map((command) => send(command)));

  // then
  await waitFor(async () => (await redis.zcard('consumers')) === 0, { what: 'no registration' });
  expect(consumer.status).toMatchObject({ state: 'stopped', consumer: undefined });
  await close();
});
