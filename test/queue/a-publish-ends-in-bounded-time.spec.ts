import { afterAll, describe, expect, it } from '@jest/globals';
import { ClosedError, endsWithin, WriteError } from '@millrace/core';
import { type RedisServer, startRedis, startReplicated, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

const deliveryTimeoutMs = 1000;
/** Far beyond it, and before anything else would end a publish: the default is 30 s, and a command may take a minute here. */
const inTime = <T>(publish: Promise<T>): Promise<boolean> => endsWithin(publish, 15_000);
const patient = ({ connection }: RedisServer) => ({ connection: { ...connection, commandTimeoutMs: 60_000 } });

describe('a publish', () => {
  afterAll(stopEverything);

  it('fails in bounded time when Redis is away, and works again when it is back', async () => {
    const server = await startRedis();
    const { broker, close } = await openBroker(server, ownPrefix(), { deliveryTimeoutMs });
    await broker.declareQueue({ name: 'q' });
    await broker.sendToQueue('q', 1);
    await server.kill();
    await expect(inTime(broker.sendToQueue('q', 2))).rejects.toMatchObject({ code: 'WRITE', failure: 'unavailable' });
    await server.restart();
    await waitFor(() => broker.declareQueue({ name: 'q' }), { what: 'the connection to be back' });
    await waitFor(() => broker.sendToQueue('q', 3), { what: 'a publish to be confirmed' });
    await close();
  });

  it('fails in bounded time when Redis does not reply, and says that it may be written', async () => {
    const server = await startRedis();
    const { broker, close } = await openBroker(patient(server), ownPrefix(), { deliveryTimeoutMs });
    await broker.declareQueue({ name: 'q' });
    await broker.sendToQueue('q', 1);
    await server.freeze();
    const error = await inTime(broker.sendToQueue('q', 2)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(WriteError);
    expect(error).toMatchObject({ failure: 'timeout', mayBeWritten: true });
    server.thaw();
    await close();
  });

  it('fails in bounded time when nothing is known yet and Redis is away', async () => {
    const server = await startRedis();
    const { broker, close } = await openBroker(server, ownPrefix(), { deliveryTimeoutMs });
    await server.kill();
    const publish = inTime(broker.publish('e', 'k', 1));
    await expect(publish).rejects.toMatchObject({ failure: 'unavailable', mayBeWritten: false });
    await close();
  });

  it('fails in bounded time on a replica, with nothing written', async () => {
    const replicated = await startReplicated();
    const prefix = ownPrefix();
    const { broker, connection, close } = await openBroker(replicated.primary, prefix, { deliveryTimeoutMs });
    await broker.declareQueue({ name: 'q' });
    await broker.sendToQueue('q', 1);
    const client = connection.commands;
    if (!('replicaof' in client)) throw new Error('one server has no cluster client');
    const [other] = replicated.replicas;
    await client.replicaof('127.0.0.1', other?.port ?? 0);
    const publish = inTime(broker.sendToQueue('q', 2));
    await expect(publish).rejects.toMatchObject({ failure: 'read-only', mayBeWritten: false });
    await close();
  });

  it('waits for room when too many wait already, and gives up in time', async () => {
    const server = await startRedis();
    const bounds = { deliveryTimeoutMs, maxBufferedMessages: 10 };
    const { broker, close } = await openBroker(patient(server), ownPrefix(), bounds);
    await broker.declareQueue({ name: 'q' });
    const receipts = await Promise.all(Array.from({ length: 100 }, (_, n) => broker.sendToQueue('q', n)));
    expect(receipts.length).toBe(100);
    await server.freeze();
    const results = await Promise.allSettled(Array.from({ length: 30 }, (_, n) => inTime(broker.sendToQueue('q', n))));
    const errors = results.map((result) => (result.status === 'rejected' ? result.reason : undefined));
    expect(errors.filter((error) => error?.mayBeWritten === true).length).toBe(10);
    expect(errors.filter((error) => error?.mayBeWritten === false).length).toBe(20);
    server.thaw();
    await close();
    await expect(broker.sendToQueue('q', 1)).rejects.toThrow(ClosedError);
  });
});
