import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Codec, OptionsError } from '@millrace/core';
import { Broker } from '@millrace/queue';
import { startRedis, stopEverything } from '@millrace/testing';
import { type OpenBroker, openBroker, ownPrefix } from './broker.js';

const own: Codec = { id: 20, name: 'own', encode: (value) => String(value), decode: (bytes) => bytes.toString() };

describe('an option that there is not', () => {
  let open: OpenBroker;
  beforeAll(async () => {
    open = await openBroker(await startRedis(), ownPrefix());
    const { broker } = open;
    await broker.declare({
      exchanges: [{ name: 'e', type: 'fanout' }],
      queues: [{ name: 'q', maxLength: 5 }],
      bindings: [{ exchange: 'e', queue: 'q' }],
    });
    await broker.sendToQueue('q', 1, { messageId: 'm' });
  });
  afterAll(async () => {
    await open.close();
    await stopEverything();
  });

  const queue = () => open.broker.queue('q');
  const changed = { queues: [{ name: 'q', maxLength: 6 }] };
  // What a caller without types may write: each would do more than was meant, or for ever the same page.
  const calls: [what: string, call: () => Promise<unknown>, message: RegExp][] = [
    ['purge', () => queue().deadLetters.purge({ id: ['x'] } as object), /unknown option id \(did you mean "ids"/],
    ['purge by no list', () => queue().deadLetters.purge({ ids: 'm' as never }), /ids must be a list of ids, got "m"/],
    ['edit', () => queue().deadLetters.edit('m', { body: 2 } as object), /unknown option body/],
    ['edit by no key', () => queue().deadLetters.edit('m', { routingKey: 5 as never }), /routing key must be a string/],
    [
      'purge of a handle with another queue',
      async () => open.broker.queue('q', { deadLeterQueue: 'lost' } as object).deadLetters.purge(),
      /did you mean "deadLetterQueue"/,
    ],
    ['cancel', () => queue().cancel(null as never), /the id of a message must be a string, got null/],
    ['remove', () => queue().remove(5 as never), /the id of a message must be a string, got 5/],
    ['message', () => queue().message(null as never), /the id of a message must be a string, got null/],
    ['unpark', () => queue().unpark('m' as never), /ids must be a list of ids, got "m"/],
    [
      'a codec',
      async () => new Broker(open.connection, { codec: { ...own, id: 3 } }),
      /"own" has the id 3: 0 to 15 are/,
    ],
    [
      'a codec of a name',
      async () => new Broker(open.connection, { codecs: [{ ...own, name: 'json' }] }),
      /choose another/,
    ],
    ['list', () => queue().deadLetters.list({ cursors: '0 0 m' } as object), /did you mean "cursor"/],
    ['ready', () => queue().ready({ limits: 1 } as object), /did you mean "limit"/],
    ['delayed', () => queue().delayed({ cursor: 5 as never }), /cursor must be the cursor of a page, got 5/],
    ['parked', () => queue().parked({ from: '1' } as object), /unknown option from/],
    ['deleteQueue', () => open.broker.deleteQueue('q', { ifEmtpy: true } as object), /did you mean "ifEmpty"/],
    ['deleteExchange', () => open.broker.deleteExchange('e', { ifUnusde: true } as object), /did you mean "ifUnused"/],
    ['declare', () => open.broker.declare(changed, { onChange: 'aply' as never }), /did you mean "apply"/],
  ];

  it.each(calls)('is refused, and nothing is done: %s', async (_what, call, message) => {
    // when
    const calling = call();
    // then
    await expect(calling).rejects.toThrow(OptionsError);
    await expect(calling).rejects.toThrow(message);
    expect((await queue().ready()).messages).toMatchObject([
      { messageId: 'm', routingKey: 'q', body: Buffer.from('1') },
    ]);
    expect(await open.broker.plan({ exchanges: [{ name: 'e', type: 'fanout' }], ...changed })).toMatchObject([
      { action: 'change', name: 'q' },
    ]);
  });
});
