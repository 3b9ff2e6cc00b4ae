import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Codec, jsonCodec } from '@millrace/core';
import { Events } from '@millrace/delivery';
import type { BatchMessage } from '@millrace/queue';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(stopEverything);

describe('a message of a newer format version', () => {
  it.each(['one by one', 'in batches'])('waits for a process that can read it: %s', async (how) => {
    // given a message that a newer Millrace wrote, before another
    const prefix = ownPrefix();
    const events = new Events();
    const errors: unknown[] = [];
    events.on('background-error', ({ error }) => errors.push(error));
    const { broker, close } = await openBroker(server, prefix, { events });
    await broker.declare({ queues: [{ name: 'mails' }] });
    await broker.sendToQueue('mails', 'newer', { messageId: 'newer' });
    await broker.sendToQueue('mails', 'plain');
    const admin = server.client();
    const messages = `${prefix}:{queue:mails}:messages`;
    const newer = String(await admin.hget(`${prefix}:{queue:mails}:ids`, 'newer'));
    const frame = await admin.hgetBuffer(messages, newer);
    await admin.hset(messages, newer, Buffer.concat([Buffer.from([3]), frame?.subarray(1) ?? Buffer.alloc(0)]));

    // when a consumer meets it
    const handled: unknown[] = [];
    const consumer = broker.consumer({
      queue: 'mails',
      retry: false,
      ...(how === 'one by one'
        ? { handler: (value: unknown, { attempt }) => void handled.push([value, attempt]) }
        : {
            batchHandler: (batch) =>
              void handled.push(...batch.map(({ payload, context }) => [payload, context.attempt])),
          }),
    });
    await consumer.start();
    await waitFor(() => handled.length > 0 && errors.length > 0, { what: 'the plain message, and the report' });

    // then it is not given up, and is handled as soon as it can be read
    expect(await broker.queue('mails').counts()).toMatchObject({ parked: 0 });
    expect(await admin.hexists(messages, newer)).toBe(1);
    expect(errors).toMatchObject([{ message: expect.stringContaining('Upgrade it') }]);
    await admin.hset(messages, newer, frame ?? '');
    await waitFor(() => handled.length === 2, { what: 'the message of the newer version' });
    expect(handled).toEqual([
      ['plain', 1],
      ['newer', 1],
    ]);
    expect(errors).toHaveLength(1);
    await close();
  });
});

describe('a message that was written with a codec of the user', () => {
  const codec: Codec = { ...jsonCodec, id: 17, name: 'own' };

  it.each(['one by one', 'in batches'])('waits for a process that knows the codec: %s', async (how) => {
    // given
    const prefix = ownPrefix();
    const events = new Events();
    const errors: unknown[] = [];
    events.on('background-error', ({ error }) => errors.push(error));
    const [older, newer] = [await openBroker(server, prefix, { events }), await openBroker(server, prefix, { codec })];
    await newer.broker.declareQueue({ name: 'mails' });
    await newer.broker.sendToQueue('mails', 'newer');
    await newer.broker.sendToQueue('mails', 'plain', { codec: jsonCodec });

    // when a process meets it that does not know the codec
    const handled: unknown[] = [];
    const one = (value: unknown, { attempt }: { attempt: number }) => void handled.push([value, attempt]);
    const batchHandler = (batch: readonly BatchMessage[]) => {
      for (const { payload, context } of batch) one(payload, context);
    };
    const handler = how === 'one by one' ? { handler: one } : { batchHandler };
    const consumer = older.broker.consumer({ queue: 'mails', retry: false, ...handler });
    await consumer.start();
    await waitFor(() => handled.length > 0 && errors.length > 0, { what: 'the plain message, and the report' });

    // then it is not given up, and is handled when the process is replaced by one that can read it
    expect(errors).toMatchObject([{ message: expect.stringContaining('codec 17') }]);
    await consumer.stop();
    await newer.broker.consumer({ queue: 'mails', retry: false, ...handler }).start();
    await waitFor(() => handled.length === 2, { what: 'the message of the newer process' });
    expect(handled).toEqual([
      ['plain', 1],
      ['newer', 1],
    ]);
    await Promise.all([older.close(), newer.close()]);
  });

  it('is refused to its requester, who waits for the reply', async () => {
    // given
    const prefix = ownPrefix();
    const [older, newer] = [await openBroker(server, prefix), await openBroker(server, prefix, { codec })];
    await older.broker.declareQueue({ name: 'questions' });
    await older.broker.consumer({ queue: 'questions', handler: (value) => value }).start();
    // when
    const reply = newer.broker.request('', 'questions', 'a question');
    // then
    await expect(reply).rejects.toThrow('no codec has id 17');
    await Promise.all([older.close(), newer.close()]);
  });
});
