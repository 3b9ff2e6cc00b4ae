import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type HeadersInput, InvalidMessageError } from '@millrace/core';
import { Millrace, MillraceModule } from '@millrace/nestjs';
import { MillraceClient, MillraceRecord } from '@millrace/nestjs/transport';
import { startRedis, stopEverything, waitFor } from '@millrace/testing';
import type { INestApplication } from '@nestjs/common';
import { lastValueFrom } from 'rxjs';
import { connectionTo, startApplication } from './application.js';

let application: INestApplication;
let millrace: Millrace;
let client: MillraceClient;
const got: unknown[] = [];

/** Every way to send, by its name. All of them end in `got`. */
const ways: Readonly<Record<string, (headers: HeadersInput) => Promise<unknown>>> = {
  'producer.send': (headers) => millrace.producer.send({ topic: 'records', value: 1, headers }),
  'producer.sendBatch': (headers) => millrace.producer.sendBatch([{ topic: 'records', value: 1, headers }]),
  'broker.publish': (headers) => millrace.broker.publish('nest', 'any', 1, { headers }),
  'broker.publishBatch': (headers) =>
    millrace.broker.publishBatch([{ exchange: 'nest', routingKey: 'any', body: 1, properties: { headers } }]),
  'broker.sendToQueue': (headers) => millrace.broker.sendToQueue('messages', 1, { headers }),
  'broker.request': (headers) => millrace.broker.request('nest', 'any', 1, { headers }),
  'broker.requestStream': (headers) =>
    millrace.broker.requestStream('nest', 'any', 1, { headers })[Symbol.asyncIterator]().next(),
  'client.emit to an exchange': (headers) => lastValueFrom(client.emit('any', new MillraceRecord(1, { headers }))),
  'client.emit to a topic': (headers) =>
    lastValueFrom(client.emit({ topic: 'records' }, new MillraceRecord(1, { headers }))),
  'client.send': (headers) => lastValueFrom(client.send('any', new MillraceRecord(1, { headers }))),
};

beforeAll(async () => {
  const options = connectionTo(await startRedis());
  const topology = MillraceModule.forFeature({
    topics: [{ name: 'records' }],
    exchanges: [
      { name: 'nest', type: 'topic' },
      { name: 'nest.requests', type: 'topic' },
    ],
    queues: ['messages'],
    bindings: [
      { exchange: 'nest', queue: 'messages', routingKey: '#' },
      { exchange: 'nest.requests', queue: 'messages', routingKey: '#' },
    ],
  });
  application = await startApplication(options, { imports: [topology] });
  millrace = application.get(Millrace);
  const note = (_: unknown, { headers }: { headers: unknown }): unknown => got.push(headers) && { response: 'noted' };
  await millrace.broker.consumer({ queue: 'messages', handler: note }).start();
  await millrace.log.consumer({ group: 'readers', topics: ['records'], handler: note }).start();
  client = new MillraceClient({ connection: millrace });
});
afterAll(async () => {
  await client.close();
  await application.close();
  await stopEverything();
});

describe.each(Object.entries(ways))('%s', (_way, send) => {
  it('leaves a header out that is undefined', async () => {
    // when
    got.length = 0;
    await send({ tenant: 'a', trace: undefined, deleted: null });
    // then
    await waitFor(() => got.length === 1, { what: 'the message' });
    expect(got).toEqual([{ tenant: 'a', deleted: null }]);
  });

  it.each([
    ['a Map', new Map([['tenant', 'a']]), /got a Map. Write Object.fromEntries/],
    ['the Headers of fetch', new Headers({ tenant: 'a' }), /got a Headers. Write Object.fromEntries/],
    ['a list', [['tenant', 'a']], /got an array/],
    ['a string', 'tenant=a', /got a string/],
    ['null', null, /got null/],
  ])('refuses %s, and sends nothing', async (_what, headers, message) => {
    // when
    got.length = 0;
    const error = await send(headers as unknown as HeadersInput).catch((reason: unknown) => reason);
    // then
    expect(error).toBeInstanceOf(InvalidMessageError);
    expect(String(error)).toMatch(/headers must be an object of names and values/);
    expect(String(error)).toMatch(message);
    // What it sent all the same would be handled before what is sent now.
    await send({ tenant: 'after' });
    await waitFor(() => got.length > 0, { what: 'the next message' });
    expect(got).toEqual([{ tenant: 'after' }]);
  });
});
