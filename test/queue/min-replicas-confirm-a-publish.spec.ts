import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { WriteError } from '@millrace/core';
import { type Replicated, startProxy, startReplicated, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

describe('a publish with minReplicas', () => {
  let replicated: Replicated;
  const prefix = ownPrefix();
  beforeAll(async () => {
    replicated = await startReplicated({ replicas: 1 });
  });
  afterAll(stopEverything);

  it('is confirmed when the replica has the message', async () => {
    // given
    const { broker, close } = await openBroker({ connection: replicated.primary.connection }, prefix, {
      minReplicas: 1,
    });
    await broker.declareQueue({ name: 'work' });
    // when
    await Promise.all(Array.from({ length: 50 }, (_, n) => broker.sendToQueue('work', n)));
    // then
    const [replica] = replicated.replicas;
    expect(await replica!.client().hlen(`${prefix}:{queue:work}:messages`)).toBe(50);
    await close();
  });

  it('fails clearly without its replica, says that it may be written, and works again when it is back', async () => {
    // given a replica that gets nothing
    const options = { minReplicas: 1, replicaTimeoutMs: 100 };
    const { broker, connection, close } = await openBroker(
      { connection: replicated.primary.connection },
      prefix,
      options,
    );
    await broker.declareQueue({ name: 'alone' });
    const [replica] = replicated.replicas;
    await replica!.freeze();
    // when
    const error: unknown = await broker.sendToQueue('alone', 1).catch((thrown: unknown) => thrown);
    replica!.thaw();
    // then
    expect(error).toBeInstanceOf(WriteError);
    expect(error).toMatchObject({ failure: 'not-enough-replicas', mayBeWritten: true });
    expect(error).toMatchObject({ message: expect.stringContaining('only 0 of 1 replicas confirmed within 100 ms') });
    await waitFor(async () => Number(await connection.commands.wait(1, 1000)) === 1, {
      what: 'the replica to confirm',
    });
    expect(await broker.sendToQueue('alone', 2)).toMatchObject({ queues: ['alone'] });
    await close();
  });

  it('waits for the replica also when it repeats a call whose reply was lost', async () => {
    // given a message that is written, and neither confirmed to its publisher nor known to the replica
    const proxy = await startProxy(replicated.primary);
    const { broker, close } = await openBroker(proxy, prefix, { minReplicas: 1, replicaTimeoutMs: 300 });
    await broker.declareQueue({ name: 'again' });
    await broker.sendToQueue('again', 'first');
    const [replica] = replicated.replicas;
    await replica!.freeze();
    // when its connection is cut and it is sent again
    const cut = proxy.cutBeforeReply('{queue:again}:messages');
    const error: unknown = await broker.sendToQueue('again', 'second').catch((thrown: unknown) => thrown);
    await cut;
    replica!.thaw();
    // then the repetition is no confirmation, and the message is there once
    expect(error).toMatchObject({ failure: 'not-enough-replicas', mayBeWritten: true });
    expect(await broker.queue('again').counts()).toMatchObject({ ready: 2 });
    await close();
  });
});
