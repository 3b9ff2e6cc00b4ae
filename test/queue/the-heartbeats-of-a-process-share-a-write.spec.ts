import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Redis } from '@millrace/redis';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { onOneServer } from '../one-server.js';
import { openBroker, ownPrefix } from './broker.js';

/** In a second there are 40 moments at which they may beat. */
const count = 120;

onOneServer('together-write').describe('the heartbeats of many consumers of a process', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  it('leave together, a few times per second', async () => {
    // given consumers that were started one after the other, each at its own queue
    const { broker, connection, close } = await openBroker(server, ownPrefix());
    const queues = Array.from({ length: count }, (_, n) => `work-${n}`);
    await broker.declare({ queues: queues.map((name) => ({ name })) });
    // With a lease of 3 s even one that is alone beats once per second.
    for (const queue of queues) await broker.consumer({ queue, leaseMs: 3000, handler: () => undefined }).start();
    // when each has beaten twice since, with nothing else to do
    const { commands: client } = connection;
    const sendCommand = client.sendCommand.bind(client);
    const turns: number[] = [];
    let turn = 0;
    client.sendCommand = (command: Parameters<typeof sendCommand>[0], stream?: never) => {
      const isHeldBack = client instanceof Redis && client.stream.writableCorked > 0;
      if (command.name === 'EVALSHA' && isHeldBack) turns.push(turn);
      setImmediate(() => turn++);
      return sendCommand(command, stream);
    };
    await waitFor(() => turns.length >= 2 * count, {
      what: 'two heartbeats of each, written later in one write',
      timeoutMs: 15_000,
    });
    // then several shared each turn of the event loop, and its write
    expect(new Set(turns).size).toBeLessThan(turns.length / 2);
    await close();
  });
});
