import { afterAll, expect, it } from '@jest/globals';
import { startRedis, stopEverything } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

afterAll(stopEverything);

it('a publish that was given up does nothing when the network delivers it after a later one', async () => {
  // given a call that the network delays: its publisher gets connection errors, until its time is over
  const server = await startRedis();
  const { broker, connection, close } = await openBroker(server, ownPrefix(), { deliveryTimeoutMs: 3000 });
  await broker.declareQueue({ name: 'q' });
  await broker.sendToQueue('q', 'before');
  const { commands } = connection;
  const send = commands.sendCommand.bind(commands);
  type Sent = Parameters<typeof send>[0];
  const kept: Sent[] = [];
  commands.sendCommand = (command: Sent, stream?: never) => {
    const isKept = /^evalsha$/i.test(command.name) && command.toWritable({} as never).includes('too late');
    if (!isKept) return send(command, stream);
    kept.push(command);
    command.reject(new Error('Connection is closed.'));
    return command.promise;
  };
  await expect(broker.sendToQueue('q', 'too late')).rejects.toMatchObject({ code: 'WRITE', mayBeWritten: true });

  // when it is delivered after a later call was carried out
  await broker.sendToQueue('q', 'after');
  const [late] = kept;
  if (late === undefined) throw new Error('the call was not kept');
  send(late);

  // then
  const { messages } = await broker.queue('q').ready();
  expect(messages.map((message) => message.payload())).toEqual(['before', 'after']);
  await close();
});
